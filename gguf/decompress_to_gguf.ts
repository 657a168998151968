import { InputError } from "../data/input_error.ts";
import type { WeightSource } from "../data/tensor.ts";
import type { ModelConfig } from "../eval/architectures/config.ts";
import { containerWeights } from "../hierarchy/container_weights.ts";
import { decodeContainer, type DecodeOptions } from "../hierarchy/decode_container.ts";
import { type Container, openContainer } from "../hierarchy/file/container.ts";
import { decodesApart } from "../hierarchy/file/decode_groups.ts";
import { type CompressedInput, readCompressed } from "../hierarchy/read_compressed.ts";
import { createBreaks } from "../workers/steps.ts";
import { type GgufModel, planGguf, type WriteGgufOptions } from "./plan_gguf.ts";
import type { GgufWeightType } from "./tensor_types.ts";
import type { TokenizerFiles } from "./tokenizer_metadata.ts";

/** Bytes that are handed to the platform at once. */
const PIECE = 1 << 24;

/** How {@linkcode decompressToGguf} works. */
export interface DecompressToGgufOptions extends DecodeOptions {
  /** The model's config.json, where the compressed file has none. */
  readonly config?: ModelConfig;
  /** The tokenizer; without it, llama.cpp runs the model on token ids only. */
  readonly tokenizer?: TokenizerFiles;
  /** More metadata by key, such as `general.name` and `general.license`. */
  readonly general?: GgufModel["general"];
  /** Told the share that is done, 0 to 1, and the tensor that is being written. */
  readonly onProgress?: WriteGgufOptions["progress"];
  /** Told what people should know: where llama.cpp differs, and which types are not what was asked for. */
  readonly onNote?: (note: string) => void;
}

/**
 * A compressed model as a GGUF file with matrices of a type, for llama.cpp and what it runs in, such as
 * wllama in a page. Tensors are decoded and quantized one after another, and what is finished is left to
 * the platform, which may keep it on disk: the program holds the compressed file and the largest tensor.
 * (A file with levels that code all matrices together is decoded as a whole.)
 *
 * Throws {@linkcode InputError} if the file is damaged, has no config, or is of a model that llama.cpp
 * does not know, or if a type cannot hold its weights.
 *
 * ```ts
 * import { HierarchicalCompressor, openModel, readStateDict } from "@kanpress/kanpress";
 * import { decompressToGguf } from "@kanpress/kanpress/gguf";
 * import assert from "node:assert";
 *
 * const source = await openModel(); // the embedded model
 * const { bytes } = await new HierarchicalCompressor({ bits: 4, effort: "fast" })
 *   .compress(await readStateDict(source), { config: source.config });
 * // In a page: (await fetch("model.kan.safetensors")).body
 * const file = await decompressToGguf(bytes, "q8_0");
 * assert.equal(await file.slice(0, 4).text(), "GGUF");
 * ```
 */
export async function decompressToGguf(
  compressed: CompressedInput,
  type: GgufWeightType = "q8_0",
  options: DecompressToGgufOptions = {},
): Promise<Blob> {
  const container = await openContainer(await readCompressed(compressed, options.signal));
  const { aliases } = container;
  const config = options.config ?? container.config;
  if (config === undefined) {
    throw new InputError(
      `${container.file ?? "the compressed model"}: has no config; give the model's config.json`,
    );
  }
  const { tokenizer, general, onProgress, onNote, signal } = options;
  const plan = planGguf({
    config,
    weights: await weightsOf(container, options),
    aliases,
    ...(tokenizer && { tokenizer }),
    ...(general && { general }),
  }, type);
  for (const note of plan.notes) onNote?.(note);
  const pieces: Blob[] = [];
  let parts: Uint8Array[] = [], byteLength = 0;
  const seal = () => {
    pieces.push(new Blob(parts as BlobPart[]));
    parts = [];
    byteLength = 0;
  };
  const pause = createBreaks(signal);
  for await (const chunk of plan.chunks(onProgress && { progress: onProgress })) {
    await pause();
    parts.push(chunk);
    byteLength += chunk.length;
    if (byteLength >= PIECE) seal();
  }
  seal();
  return new Blob(pieces);
}

async function weightsOf(container: Container, options: DecodeOptions): Promise<WeightSource> {
  if (decodesApart(container)) return containerWeights(container, options);
  const decoded = await decodeContainer(container, options);
  return {
    tensors: Array.from(decoded, ([name, { dtype, shape }]) => ({ name, dtype, shape })),
    read: (name) => Promise.resolve(decoded.get(name)!),
  };
}
