import type { ChatTemplate } from "../../data/chat/chat_template.ts";
import {
  type DType,
  InputError,
  type ModelSource,
  type StateDict,
  type TensorInfo,
  type TextTokenizer,
} from "../../data/mod.ts";
import { printableLine } from "../../data/printable.ts";
import { quote } from "../../data/quote.ts";
import { elementCount } from "../../data/tensor.ts";
import type { TransformerDescription } from "../../eval/architectures/description.ts";
import { describeModel } from "../../eval/architectures/registry.ts";
import type { ModelConfig } from "../../eval/mod.ts";
import { modelTensors } from "../../eval/weights/model_tensors.ts";
import { type Container, openContainer } from "../../hierarchy/file/container.ts";
import { reportContainer } from "../../hierarchy/report.ts";
import {
  type CompressedArgument,
  findCompressed,
  readTokenizerIn,
} from "../input/compressed_argument.ts";
import { naming } from "../terminal/errors.ts";
import { findOriginal } from "../input/find_original.ts";
import { requireChatTemplate } from "../input/chat_template.ts";
import { readGenerationConfig } from "../input/generation_config.ts";
import {
  checkModel,
  hasTokenizer,
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
  /** Said of a model that is no compressed file, and so records nothing of its original. */
  readonly named?: true;
}

/** `the original is ./my-model`, and whether that is known. */
export function comparedLine({ name, checked, named }: ComparedModel): string {
  if (named) return `the original is ${printableLine(name)}, as named`;
  return checked
    ? `the original is ${printableLine(name)}, by its weights`
    : `the original is taken to be ${
      printableLine(name)
    }: the compressed file does not record its weights`;
}

/**
 * What `evaluate` measures: a model, a compressed model, or a compressed one and its original, or two
 * models. Their
 * weights are not read yet, so that whatever else is wrong is told of before.
 */
export interface Subject {
  /** What it is called in reports. */
  readonly name: string;
  /** The configuration of both. */
  readonly config: ModelConfig;
  /** How models of that configuration are run. */
  readonly description: TransformerDescription;
  /** Its tokenizer. */
  readonly tokenizer: TextTokenizer;
  /** Reads its `generation_config.json`; empty where it has none. */
  readonly generationConfig: () => Promise<ModelConfig>;
  /** Reads its chat template; throws {@linkcode InputError} where it has none. */
  readonly chatTemplate: () => Promise<ChatTemplate>;
  /** The uncompressed model, where it can be had. */
  readonly original?: ModelSource;
  /** Which model that is, if a compressed one is compared with it. */
  readonly comparedWith?: ComparedModel;
  /** The compressed file, where the argument names one. */
  readonly container?: Container;
  /** The model that is compared with the original, where that is not a compressed file. */
  readonly variant?: ModelSource;
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
  if (compressed !== undefined) return await openCompressed(compressed, originalName, run);
  if (originalName !== undefined) return await openPair(argument, originalName, run);
  const original = await openNamedModel(argument, run);
  const { name, config } = original;
  return {
    name,
    config,
    description: checkModel(original),
    tokenizer: await original.tokenizer(),
    generationConfig: () => readGenerationConfig(undefined, original),
    chatTemplate: () => requireChatTemplate({ name, model: original }, config),
    original,
  };
}

/**
 * Opens two models of one shape, of which the first stands in the place of a compressed one: a GGUF
 * file, for example, and the model that it was quantized from.
 */
async function openPair(
  argument: string | undefined,
  originalName: string,
  run: Run,
): Promise<Subject> {
  const variant = await openNamedModel(argument, run);
  const original = await openNamedModel(originalName, run);
  const { name, config, quantization } = variant;
  checkModel(variant);
  const description = checkModel(original);
  const kept = await sameTensors(variant, original);
  const parameters = kept.reduce((sum, { shape }) => sum + elementCount(shape), 0);
  const compressedBytes = await neededBytes(variant);
  const { quantization: originalQuantization } = original;
  return {
    name: quantization === undefined ? name : `${name} (${quantization})`,
    config: original.config,
    description,
    tokenizer: await tokenizerOf(original, variant),
    generationConfig: () => readGenerationConfig(undefined, original),
    chatTemplate: () => requireChatTemplate({ name, model: variant }, config),
    variant,
    sizes: {
      parameters,
      originalBytes: await neededBytes(original),
      originalDtype: commonDtype(original),
      ...(originalQuantization !== undefined && { originalQuantization }),
      compressedBytes,
      bitsPerWeight: 8 * compressedBytes / parameters,
    },
    original,
    comparedWith: { name: original.name, checked: false, named: true },
  };
}

/** The tensors of both models; throws where their names or shapes differ. */
async function sameTensors(variant: ModelSource, original: ModelSource): Promise<TensorInfo[]> {
  const [here, there] = [await modelTensors(variant), await modelTensors(original)];
  const shapes = new Map(there.map(({ name, shape }) => [name, shape.join()]));
  const other = here.find(({ name, shape }) => shapes.get(name) !== shape.join());
  if (other === undefined && here.length === there.length) return here;
  const which = other?.name ??
    there.find(({ name }) => !here.some((own) => own.name === name))?.name;
  throw new InputError(
    `${variant.name}: is not of the shape of ${original.name}: their tensors ${
      quote(which ?? "")
    } ` +
      "differ; name the model that it was made from with --original",
  );
}

/** Both have one vocabulary: either's tokenizer will do, the original's first. */
async function tokenizerOf(original: ModelSource, variant: ModelSource): Promise<TextTokenizer> {
  return await (hasTokenizer(original) ? original : variant).tokenizer();
}

function commonDtype({ weights }: ModelSource): DType {
  const counts = new Map<DType, number>();
  for (const { dtype, shape } of weights.tensors) {
    counts.set(dtype, (counts.get(dtype) ?? 0) + elementCount(shape));
  }
  return [...counts].reduce((most, one) => one[1] > most[1] ? one : most)[0];
}

/** Opens a compressed file and finds its original, its config and its tokenizer. */
async function openCompressed(
  { source, folder }: CompressedArgument,
  originalName: string | undefined,
  run: Run,
): Promise<Subject> {
  const container = await run.phase("read", () => openContainer(source));
  const file = { name: source.name, container, ...(folder !== undefined && { folder }) };
  const found = await findOriginal(file, originalName, run);
  const original = found?.model;
  const config = container.config ?? original?.config;
  const tokenizer = await readTokenizerIn(folder, config ?? {}) ?? await original?.tokenizer();
  if (config === undefined || tokenizer === undefined) {
    const what = config === undefined ? "config.json" : "tokenizer.json";
    throw new InputError(`${source.name}: no ${what} is known; name its model with --original`);
  }
  const names = [...container.tensors.map(({ name }) => name), ...container.aliases.keys()];
  const description = original === undefined
    ? naming(source.name, () => describeModel(config, names))
    : checkModel(original);
  const sizes = await reportContainer(container, source.byteLength, { signal: run.signal });
  const originalBytes = original && await neededBytes(original);
  const originalQuantization = original?.quantization;
  return {
    name: source.name,
    config,
    description,
    tokenizer,
    generationConfig: () => readGenerationConfig(folder, original),
    chatTemplate: () => requireChatTemplate({ name: source.name, folder, model: original }, config),
    container,
    sizes: {
      ...sizes,
      ...(originalBytes !== undefined && { originalBytes }),
      ...(originalQuantization !== undefined && { originalQuantization }),
    },
    ...(found !== undefined && {
      original: found.model,
      comparedWith: { name: found.model.name, checked: found.checked },
    }),
  };
}

/** Weights of a subject, those that there are. */
export interface SubjectWeights {
  /** The uncompressed ones. */
  readonly original?: StateDict;
  /** The restored ones. */
  readonly compressed?: StateDict;
}

/** What weights are read from. */
export type ReadableSubject = Pick<
  Subject,
  "name" | "config" | "container" | "variant" | "original"
>;

/** Reads the weights of a subject, and decodes those that are compressed. */
export async function readSubject(
  { name, config, container, variant, original }: ReadableSubject,
  run: Run,
): Promise<SubjectWeights> {
  const compressed = container && await run.phase(
    "decompress",
    () => naming(name, () => readRestoredWeights(container, config, run.signal)),
  );
  const others = variant && await run.phase("read", () => readFiniteWeights(variant));
  const weights = original && await run.phase("read", () => readFiniteWeights(original));
  return {
    ...(weights !== undefined && { original: weights }),
    ...(compressed !== undefined && { compressed }),
    ...(others !== undefined && { compressed: others }),
  };
}

/**
 * Both weights, if there are two to compare; one that is alone stands in the place of the original.
 */
export function pairOf<T>(
  { original, compressed }: { readonly original?: T; readonly compressed?: T },
): { readonly original: T; readonly compressed?: T } {
  if (original !== undefined && compressed !== undefined) return { original, compressed };
  return { original: (original ?? compressed)! };
}
