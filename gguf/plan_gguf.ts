import { aligned, encodeGgufHeader } from "../data/gguf/encode_header.ts";
import type { GgufArchitecture, ValueChange } from "../data/gguf/architecture.ts";
import type { GgufMetadata, GgufValue } from "../data/gguf/metadata_value.ts";
import { ggufName } from "../data/gguf/tensor_names.ts";
import { ggmlByteLength, type GgmlType, ggmlType } from "../data/gguf/types.ts";
import { type HeadCounts, toGgufValues } from "../data/gguf/value_change.ts";
import { InputError } from "../data/input_error.ts";
import { narrowsSafely } from "../data/narrowing.ts";
import { quote } from "../data/quote.ts";
import { elementCount, type TensorInfo, type WeightSource } from "../data/tensor.ts";
import type { ModelConfig } from "../eval/architectures/config.ts";
import type { TransformerDescription } from "../eval/architectures/description.ts";
import {
  architectureOf,
  describeModel,
  isIgnorableTensor,
} from "../eval/architectures/registry.ts";
import { checkTensors } from "../eval/weights/expected_tensors.ts";
import { ggufArchitectureFor, modelMetadata } from "./model_metadata.ts";
import { type Quantize, quantizeHere } from "./quantize_rows.ts";
import { fileTypes, type GgufWeightType, tensorType } from "./tensor_types.ts";
import { type TokenizerFiles, tokenizerMetadata } from "./tokenizer_metadata.ts";
import { count, text, texts } from "./values.ts";

/** A model to be written as GGUF. */
export interface GgufModel {
  /** The contents of config.json. */
  readonly config: ModelConfig;
  /** The weights, which are read one tensor at a time. */
  readonly weights: WeightSource;
  /** Tensors that are others once more, by their names. */
  readonly aliases?: ReadonlyMap<string, string>;
  /** The tokenizer; without it, llama.cpp runs the model on token ids only. */
  readonly tokenizer?: TokenizerFiles;
  /** More metadata by key, such as `general.name` and `general.license`; numbers are counts. */
  readonly general?: Readonly<Record<string, string | number | readonly string[]>>;
}

/** A tensor of the file and where its values come from. */
interface PlannedTensor {
  readonly name: string;
  readonly type: GgmlType;
  readonly shape: readonly number[];
  /** The tensor of the model, and how its values change. */
  readonly source: string;
  readonly change?: ValueChange;
}

/** Values that no tensor of the model holds. */
interface MadeTensor {
  readonly name: string;
  readonly type: GgmlType;
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** How a GGUF file is written. */
export interface WriteGgufOptions {
  /** Told the share that is done, 0 to 1, and the tensor that is being written. */
  readonly progress?: (share: number, activity: string) => void;
  /** What quantizes the values of a tensor; the calling thread if omitted. */
  readonly quantize?: Quantize;
}

/** A GGUF file that can be written: everything but the weights has been read and checked. */
export interface GgufPlan {
  /** Bytes of the whole file. */
  readonly byteLength: number;
  /** Number of tensors. */
  readonly tensorCount: number;
  /** What people should know: where llama.cpp differs, and which types are not what was asked for. */
  readonly notes: readonly string[];
  /**
   * The bytes of the file, made piece by piece of one tensor at a time. Throws {@linkcode InputError} for weights that a type cannot hold.
   */
  chunks(options?: WriteGgufOptions): AsyncGenerator<Uint8Array>;
}

/** From here on, f16 rounds to infinity. */
const F16_END = 65520;

/**
 * Plans a GGUF file that llama.cpp runs, with matrices of the type that is asked for; see
 * {@linkcode ggufWeightTypes} and docs/gguf.md. Nothing but the weights is read later. Throws
 * {@linkcode InputError} for what llama.cpp does not know: an architecture, an activation function, a
 * scaling of rotary positions, a tensor, a tokenizer.
 *
 * ```ts
 * import { embeddedModelPath, openModel } from "@kanpress/kanpress/data";
 * import { planGguf } from "@kanpress/kanpress/gguf";
 * import assert from "node:assert";
 *
 * const { config, weights } = await openModel(embeddedModelPath());
 * const plan = planGguf({ config, weights }, "q8_0");
 * let bytes = 0;
 * for await (const chunk of plan.chunks()) bytes += chunk.length; // into a file
 * assert.equal(bytes, plan.byteLength);
 * ```
 */
export function planGguf(model: GgufModel, asked: GgufWeightType): GgufPlan {
  const { config, weights } = model;
  const architecture = ggufArchitectureFor(config["model_type"]);
  const infos = distinctTensors(model);
  const description = describeModel(config, infos.map(({ name }) => name));
  checkTensors(config, description, infos);
  const about = modelMetadata(description, config, architecture);
  const tokenizer = model.tokenizer === undefined
    ? {
      entries: [["tokenizer.ggml.model", text("none")] as const],
      notes: ["without a tokenizer, llama.cpp runs the model on token ids only"],
    }
    : tokenizerMetadata(model.tokenizer, config, description.vocabularySize);
  const { tensors, insteadOf } = planTensors(infos, description, architecture, asked);
  const made = [...about.tensors].map(([name, values]): MadeTensor => ({
    name,
    type: ggmlType("F32"),
    shape: [values.length],
    values,
  }));
  const metadata: GgufMetadata = new Map<string, GgufValue>([
    ["general.architecture", text(architecture.name)],
    ["general.type", text("model")],
    ...Object.entries(model.general ?? {}).map(([key, value]) => [key, ofAnyKind(value)] as const),
    ["general.file_type", count(fileTypes[asked])],
    ["general.quantization_version", count(2)],
    ...about.entries.map(([key, value]) => [`${architecture.name}.${key}`, value] as const),
    ...tokenizer.entries,
  ]);
  checkCounts(metadata);
  const all = [...made, ...tensors];
  const header = encodeGgufHeader(metadata, all);
  const { attention } = description.layers[0]!;
  return {
    byteLength: all.reduce((sum, tensor) => sum + aligned(bytesOf(tensor)), header.length),
    tensorCount: all.length,
    notes: [...about.notes, ...tokenizer.notes, ...insteadOf],
    chunks: (options = {}) => chunksOf(header, all, weights, attention, options),
  };
}

/** Throws where a number of config.json is larger than GGUF holds it. */
function checkCounts(metadata: GgufMetadata): void {
  for (const [key, value] of metadata) {
    if (value.type !== "UINT32" || value.value < 2 ** 32) continue;
    throw new InputError(
      `config.json: ${key} would be ${value.value}, and GGUF holds numbers below 2^32; correct it`,
    );
  }
}

function ofAnyKind(value: string | number | readonly string[]): GgufValue {
  if (typeof value === "string") return text(value);
  return typeof value === "number" ? count(value) : texts(value);
}

async function* chunksOf(
  header: Uint8Array,
  tensors: readonly (PlannedTensor | MadeTensor)[],
  weights: WeightSource,
  counts: HeadCounts,
  { progress = () => {}, quantize = quantizeHere }: WriteGgufOptions,
): AsyncGenerator<Uint8Array> {
  yield header;
  const total = tensors.reduce((sum, { shape }) => sum + elementCount(shape), 0);
  let done = 0;
  for (const tensor of tensors) {
    const { type, name, shape } = tensor;
    const values = "values" in tensor ? tensor.values : await readValues(tensor, weights, counts);
    progress(done / total, name);
    const length = bytesOf(tensor);
    let written = 0;
    for await (const bytes of quantize(type, values)) {
      yield bytes;
      written += bytes.length;
      progress((done + elementCount(shape) * written / length) / total, name);
    }
    yield new Uint8Array(aligned(length) - length);
    done += elementCount(shape);
  }
}

/** The values of a tensor as GGUF has them; throws where its type cannot hold them. */
async function readValues(
  { source, change, type }: PlannedTensor,
  weights: WeightSource,
  counts: HeadCounts,
): Promise<Float32Array> {
  const { data } = toGgufValues(await weights.read(source), change, counts);
  const { dtype } = type;
  const isHeld = dtype === undefined
    ? data.every((value) => Math.abs(value) < F16_END)
    : narrowsSafely(dtype, data);
  if (isHeld) return data;
  const isLarge = data.some((value) => Math.abs(value) >= F16_END);
  throw new InputError(
    `tensor ${quote(source)}: its values are too ${isLarge ? "large" : "small"} for ` +
      `${type.name.toLowerCase()}; write it with --gguf ${
        dtype === "BF16" ? "f32" : "bf16 or f32"
      }`,
  );
}

/** The tensors that are to be written: no buffers, and no head that is the embedding once more. */
function distinctTensors({ config, weights, aliases }: GgufModel): readonly TensorInfo[] {
  const { headWeight } = architectureOf(config);
  return weights.tensors.filter(({ name }) => {
    if (name === headWeight) return aliases?.has(name) !== true;
    return !isIgnorableTensor(config, name);
  });
}

function planTensors(
  infos: readonly TensorInfo[],
  { tokenEmbedding, head }: TransformerDescription,
  architecture: GgufArchitecture,
  asked: GgufWeightType,
): { readonly tensors: readonly PlannedTensor[]; readonly insteadOf: readonly string[] } {
  const replaced = new Map<string, number>();
  const tensors = infos.flatMap(({ name, shape }): PlannedTensor[] => {
    const found = ggufName(architecture, name);
    if (found === undefined) {
      throw new InputError(
        `tensor ${
          quote(name)
        }: llama.cpp's architecture ${architecture.name} has no such tensor; ` +
          "write the model without --gguf",
      );
    }
    const turned = found.change === "transposed" ? shape.toReversed() : shape;
    const plan = (as: string, isHead: boolean): PlannedTensor => {
      const { type, insteadOf } = tensorType(as, turned, asked, isHead);
      if (insteadOf !== undefined) {
        const line = `rows of ${turned.at(-1)} values are no whole blocks of ${insteadOf.name} ` +
          `(${insteadOf.blockLength} values): written as ${type.name}`;
        replaced.set(line, (replaced.get(line) ?? 0) + 1);
      }
      const { change } = found;
      return { name: as, type, shape: turned, source: name, ...(change && { change }) };
    };
    const isHead = name === head.weight;
    const own = plan(found.name, isHead);
    const wantsHead = isHead && name === tokenEmbedding && architecture.runs.ownHead === true;
    return wantsHead ? [own, plan("output.weight", true)] : [own];
  });
  checkBiases(tensors, architecture);
  const insteadOf = [...replaced].map(([line, times]) =>
    `${times} ${times === 1 ? "tensor" : "tensors"}: ${line}`
  );
  return { tensors, insteadOf };
}

/** llama.cpp loads no file with a tensor that it has no place for, or without one that it wants. */
function checkBiases(
  tensors: readonly PlannedTensor[],
  { name: architecture, runs }: GgufArchitecture,
): void {
  const names = new Set(tensors.map(({ name }) => name.replace(/\.\d+\./, ".{}.")));
  const fail = (stem: string, verb: string) =>
    new InputError(
      `config.json: the model has ${verb} bias of ${
        stem.replace("blk.{}.", "")
      }, but llama.cpp's ` +
        `architecture ${architecture} has ${verb === "a" ? "none" : "one"}; write the model ` +
        "without --gguf",
    );
  for (const stem of runs.withoutBias ?? []) {
    if (names.has(`${stem}.bias`)) throw fail(stem, "a");
  }
  for (const stem of runs.withBias ?? []) {
    if (!names.has(`${stem}.bias`)) throw fail(stem, "no");
  }
}

function bytesOf({ type, shape }: PlannedTensor | MadeTensor): number {
  return ggmlByteLength(type, shape)!;
}
