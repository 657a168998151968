/**
 * Decoding of compressed models, and nothing else: a few dozen kB that run wherever JavaScript does.
 *
 * ```ts
 * import { HierarchicalCompressor } from "@kanpress/kanpress";
 * import { decompressWeights } from "@kanpress/kanpress/decompress";
 * import assert from "node:assert";
 *
 * // Stands for a file: in a page, (await fetch("model.kan.safetensors")).arrayBuffer().
 * const data = Float32Array.from({ length: 4096 }, (_, i) => Math.sin(i * i));
 * const weights = new Map([["w", { dtype: "F32" as const, shape: [64, 64], data }]]);
 * const { bytes } = await new HierarchicalCompressor({ bits: 6 }).compress(weights);
 * const restored = await decompressWeights(bytes);
 * assert.deepEqual(restored.get("w")!.shape, [64, 64]);
 * ```
 *
 * @module
 */
import type { ByteSource } from "../data/byte_source.ts";
import { InputError } from "../data/input_error.ts";
import type { DType, StateDict, TensorInfo, WeightSource, WeightTensor } from "../data/tensor.ts";
import {
  type CompressedSource,
  decodeContainer,
  type DecodeOptions,
  sourceOf,
} from "./decode_container.ts";
import { containerWeights } from "./container_weights.ts";
import { openContainer } from "./file/container.ts";

export { InputError };
export type {
  ByteSource,
  CompressedSource,
  DecodeOptions,
  DType,
  StateDict,
  TensorInfo,
  WeightSource,
  WeightTensor,
};

/**
 * Restores the weights of a compressed model, to the same bits on every platform. Needs neither
 * tfjs nor Deno: it runs in browsers and workers too. Tied tensors share one array.
 *
 * Throws {@linkcode InputError} if the file is damaged or of another format.
 *
 * ```ts
 * import { HierarchicalCompressor } from "@kanpress/kanpress/hierarchy";
 * import { decompressWeights } from "@kanpress/kanpress/decompress";
 * import assert from "node:assert";
 *
 * const data = Float32Array.from({ length: 4096 }, (_, i) => Math.sin(i * i));
 * const weights = new Map([["w", { dtype: "F32" as const, shape: [64, 64], data }]]);
 * const compressed = await new HierarchicalCompressor({ bits: 6 }).compress(weights);
 * const restored = await decompressWeights(compressed);
 * assert.deepEqual(restored.get("w")!.shape, [64, 64]);
 * ```
 */
export async function decompressWeights(
  compressed: CompressedSource,
  options: DecodeOptions = {},
): Promise<StateDict> {
  return await decodeContainer(await openContainer(sourceOf(compressed)), options);
}

/**
 * Opens a compressed model whose tensors are decoded one at a time, when they are read, to the same
 * bits as all at once: a model larger than the memory can be run from its compressed form.
 *
 * Throws {@linkcode InputError} if the file is damaged or of another format, or has a level that
 * codes tensors together.
 *
 * ```ts
 * import { HierarchicalCompressor } from "@kanpress/kanpress/hierarchy";
 * import { openCompressedWeights } from "@kanpress/kanpress/decompress";
 * import assert from "node:assert";
 *
 * const data = Float32Array.from({ length: 4096 }, (_, i) => Math.sin(i * i));
 * const weights = new Map([["w", { dtype: "F32" as const, shape: [64, 64], data }]]);
 * const { bytes } = await new HierarchicalCompressor({ bits: 6 }).compress(weights);
 * const source = await openCompressedWeights(bytes);
 * assert.deepEqual((await source.read("w")).shape, [64, 64]);
 * ```
 */
export async function openCompressedWeights(
  compressed: CompressedSource,
  options: DecodeOptions = {},
): Promise<WeightSource> {
  return containerWeights(await openContainer(sourceOf(compressed)), options);
}
