import { existsSync } from "node:fs";
import type { ByteSource } from "../../data/byte_source.ts";
import { InputError } from "../../data/input_error.ts";
import type { TensorBytes } from "../../data/safetensors_encode.ts";
import { openFile } from "../../data/file_source.ts";
import { openSealed, writeSealed } from "../../data/sealed_safetensors.ts";
import type { TransformerDescription } from "../architectures/description.ts";
import type { Window } from "../protocols/window.ts";
import type { BaseEvaluation } from "./evaluate.ts";

/**
 * Keeps what {@linkcode evaluateOriginal} kept in a safetensors file with hashes of all that is in
 * it: the hidden states before the head in float32, 4 bytes for each prediction and hidden feature.
 * That is exact, and a vocabulary over twice the hidden size smaller than f16 logits. `key` says
 * which weights they are of.
 */
export async function writeBaseEvaluation(
  path: string,
  key: string,
  base: BaseEvaluation,
): Promise<void> {
  const { tensors, metadata } = baseEvaluationParts(key, base);
  await writeSealed(path, tensors, metadata);
}

/** What {@linkcode writeBaseEvaluation} writes. */
export function baseEvaluationParts(
  key: string,
  { fingerprint, states }: BaseEvaluation,
): { tensors: TensorBytes[]; metadata: Record<string, string> } {
  const tensors = states.map((state, index) => ({
    name: `${index}`,
    dtype: "F32" as const,
    shape: [state.length],
    bytes: new Uint8Array(state.buffer, state.byteOffset, state.byteLength),
  }));
  return { tensors, metadata: { key, fingerprint } };
}

/** What a base evaluation is wanted of. */
export interface WantedBase {
  /** Which weights. */
  readonly key: string;
  /** Which text and protocol. */
  readonly fingerprint: string;
  /** Numbers that all hidden states have together. */
  readonly values: number;
}

/** How many numbers the hidden states of a text's windows have together. */
export function baseValues(
  windows: readonly Pick<Window, "rows">[],
  { hiddenSize }: Pick<TransformerDescription, "hiddenSize">,
): number {
  return windows.reduce((sum, { rows }) => sum + rows.length * hiddenSize, 0);
}

/**
 * Reads what {@linkcode writeBaseEvaluation} wrote; undefined if there is no such file, or one of
 * another key or fingerprint: then the original is to be evaluated again. Throws
 * {@linkcode InputError} where it is damaged.
 */
export async function readBaseEvaluation(
  path: string,
  wanted: WantedBase,
): Promise<BaseEvaluation | undefined> {
  return existsSync(path) ? await parseBaseEvaluation(await openFile(path), wanted) : undefined;
}

/** As {@linkcode readBaseEvaluation}, of an open file. */
export async function parseBaseEvaluation(
  source: ByteSource,
  { key, fingerprint, values }: WantedBase,
): Promise<BaseEvaluation | undefined> {
  const file = await openSealed(source);
  const { metadata, tensors } = file;
  if (metadata["key"] !== key || metadata["fingerprint"] !== fingerprint) return undefined;
  const states: Float32Array[] = [];
  for (const index of tensors.keys()) {
    states.push(new Float32Array(await file.read(`${index}`, "F32")));
  }
  const isSound = states.reduce((sum, { length }) => sum + length, 0) === values &&
    states.every((state) => state.every(Number.isFinite));
  if (isSound) return { fingerprint, states };
  throw new InputError(
    `${source.name}: is damaged (its hidden states are of something else); remove it`,
  );
}
