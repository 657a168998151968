import {
  InputError,
  type ModelSource,
  type StateDict,
  type TextTokenizer,
} from "../../data/mod.ts";
import type { ChatTemplate } from "../../data/chat/chat_template.ts";
import { printableLine } from "../../data/printable.ts";
import type { ModelConfig } from "../../eval/mod.ts";
import { type Container, openContainer } from "../../hierarchy/file/container.ts";
import { reportContainer } from "../../hierarchy/report.ts";
import {
  type CompressedArgument,
  findCompressed,
  readTokenizerIn,
} from "../input/compressed_argument.ts";
import { requireChatTemplate } from "../input/chat_template.ts";
import { naming, UsageError } from "../terminal/errors.ts";
import { findOriginal, type Original } from "../input/find_original.ts";
import { readGenerationConfig } from "../input/generation_config.ts";
import {
  checkModel,
  neededBytes,
  openNamedModel,
  readFiniteWeights,
} from "../input/original_model.ts";
import type { Run } from "../terminal/run.ts";
import type { Sizes } from "./sizes.ts";
import { readRestoredWeights } from "../input/restored_weights.ts";

/** Which model a compressed one is compared with. */
export interface ComparedModel {
  /** Its name, or where it is. */
  readonly name: string;
  /** Whether its weights are known to be those that were compressed. */
  readonly checked: boolean;
}

/** `the original is ./my-model`, and whether that is known. */
export function comparedLine({ name, checked }: ComparedModel): string {
  return checked
    ? `the original is ${printableLine(name)}, by its weights`
    : `the original is taken to be ${
      printableLine(name)
    }: the compressed file does not record its weights`;
}

/** What `evaluate` measures: a model, a compressed model, or a compressed one and its original. */
export interface Subject {
  /** What it is called in reports. */
  readonly name: string;
  /** The configuration of both. */
  readonly config: ModelConfig;
  /** Its tokenizer. */
  readonly tokenizer: TextTokenizer;
  /** Reads its `generation_config.json`; empty where it has none. */
  readonly generationConfig: () => Promise<ModelConfig>;
  /** Reads its chat template; throws {@linkcode InputError} where it has none. */
  readonly chatTemplate: () => Promise<ChatTemplate>;
  /** The uncompressed weights, where they can be had. */
  readonly original?: StateDict;
  /** The model that a compressed one is compared with. */
  readonly comparedWith?: ComparedModel;
  /** The restored weights, where the argument names a compressed model. */
  readonly compressed?: StateDict;
  /** The sizes of a compressed model, as far as they are known. */
  readonly sizes?: Sizes;
}

/** Opens what `argument` names; without one, the embedded model. */
export async function openSubject(
  argument: string | undefined,
  originalName: string | undefined,
  run: Run,
): Promise<Subject> {
  const compressed = argument === undefined ? undefined : await findCompressed(argument);
  if (compressed !== undefined) {
    return await openCompressedSubject(compressed, originalName, run);
  }
  if (originalName !== undefined) {
    throw new UsageError("--original is for a compressed model; this one is not compressed");
  }
  const model = await openNamedModel(argument, run);
  checkModel(model);
  const tokenizer = await model.tokenizer();
  const original = await run.phase("read", () => readFiniteWeights(model));
  return {
    name: model.name,
    config: model.config,
    tokenizer,
    generationConfig: () => readGenerationConfig(undefined, model),
    chatTemplate: () => requireChatTemplate({ name: model.name, model }, model.config),
    original,
  };
}

/** A compressed model before it is decoded, and what belongs to it. */
export interface CompressedSubject extends Omit<Subject, "original" | "compressed"> {
  /** The compressed file. */
  readonly container: Container;
  /** The model that it was made from, if it can be had. */
  readonly originalModel?: ModelSource;
}

/** Opens a compressed file and finds its original, its config and its tokenizer. */
export async function openCompressedFile(
  { source, folder }: CompressedArgument,
  originalName: string | undefined,
  run: Run,
): Promise<CompressedSubject> {
  const container = await run.phase("read", () => openContainer(source));
  const file = { name: source.name, container, ...(folder !== undefined && { folder }) };
  const original = await findOriginal(file, originalName, run);
  const originalModel = original?.model;
  const config = container.config ?? originalModel?.config;
  const tokenizer = await readTokenizerIn(folder, config ?? {}) ??
    await originalModel?.tokenizer();
  if (config === undefined || tokenizer === undefined) {
    const what = config === undefined ? "config.json" : "tokenizer.json";
    throw new InputError(`${source.name}: no ${what} is known; name its model with --original`);
  }
  const sizes = await reportContainer(container, source.byteLength, { signal: run.signal });
  const originalBytes = originalModel && await neededBytes(originalModel);
  const originalQuantization = originalModel?.quantization;
  return {
    name: source.name,
    config,
    tokenizer,
    generationConfig: () => readGenerationConfig(folder, originalModel),
    chatTemplate: () =>
      requireChatTemplate({ name: source.name, folder, model: originalModel }, config),
    container,
    sizes: {
      ...sizes,
      ...(originalBytes !== undefined && { originalBytes }),
      ...(originalQuantization !== undefined && { originalQuantization }),
    },
    ...(original === undefined ? {} : comparison(original)),
  };
}

function comparison(
  { model, checked }: Original,
): Pick<CompressedSubject, "originalModel" | "comparedWith"> {
  return { originalModel: model, comparedWith: { name: model.name, checked } };
}

async function openCompressedSubject(
  argument: CompressedArgument,
  originalName: string | undefined,
  run: Run,
): Promise<Subject> {
  const { container, originalModel, ...subject } = await openCompressedFile(
    argument,
    originalName,
    run,
  );
  const compressed = await run.phase(
    "decompress",
    () => naming(subject.name, () => readRestoredWeights(container, subject.config, run.signal)),
  );
  if (originalModel === undefined) return { ...subject, compressed };
  checkModel(originalModel);
  const original = await run.phase("read", () => readFiniteWeights(originalModel));
  return { ...subject, compressed, original };
}
