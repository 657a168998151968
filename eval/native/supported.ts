import { InputError } from "../../data/input_error.ts";
import type { TransformerDescription } from "../architectures/description.ts";
import { unknownMember } from "../architectures/members.ts";
import { layerMembers } from "../onnx/layer.ts";
import { requireNativeRuntime } from "./runtime.ts";

/** What the graphs can hold beside what all language models have. */
const known = [
  ...layerMembers,
  "objective: maskedToken",
  "objective: classification",
  "positionEmbedding",
  "positionOffset",
  "embeddingScale",
  "embeddingNorm",
  "headTransform",
  "logitScale",
  "logitSoftCap",
];

/** Why the native runtime cannot run a model; undefined if it can. */
export function whyNotNative(model: TransformerDescription): string | undefined {
  const unknown = unknownMember(model, known);
  return unknown === undefined ? undefined : `it has ${unknown}`;
}

/** Throws {@linkcode InputError} if there is no native runtime, or it cannot run a model. */
export function requireNative(model: TransformerDescription): void {
  requireNativeRuntime();
  const reason = whyNotNative(model);
  if (reason === undefined) return;
  throw new InputError(
    `the backend native cannot run this ${model.modelType} model: ${reason}; choose the backend wasm`,
  );
}
