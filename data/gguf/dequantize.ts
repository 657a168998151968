import { InputError } from "../input_error.ts";
import { toFloat32 } from "../to_float32.ts";
import { readQ2_K, readQ3_K, readQ4_K, readQ5_K, readQ6_K } from "./k_blocks.ts";
import {
  type BlockReader,
  readQ4_0,
  readQ4_1,
  readQ5_0,
  readQ5_1,
  readQ8_0,
} from "./legacy_blocks.ts";
import type { GgmlType } from "./types.ts";
import { readIQ4_NL, readIQ4_XS } from "./uneven_blocks.ts";

const readers: ReadonlyMap<string, BlockReader> = new Map([
  ["Q4_0", readQ4_0],
  ["Q4_1", readQ4_1],
  ["Q5_0", readQ5_0],
  ["Q5_1", readQ5_1],
  ["Q8_0", readQ8_0],
  ["Q2_K", readQ2_K],
  ["Q3_K", readQ3_K],
  ["Q4_K", readQ4_K],
  ["Q5_K", readQ5_K],
  ["Q6_K", readQ6_K],
  ["IQ4_NL", readIQ4_NL],
  ["IQ4_XS", readIQ4_XS],
]);

/** Whether {@linkcode dequantize} reads tensors of a type. */
export function isReadable(type: GgmlType): boolean {
  return type.dtype !== undefined || readers.has(type.name);
}

/** Names of the quantized types that {@linkcode dequantize} reads. */
export const readableQuantizations: readonly string[] = [...readers.keys()];

/**
 * The values of whole blocks, bit for bit those of PyPI's gguf, into an array of their own. `where`
 * begins messages, `first` is the number of the first value, where the bytes are part of a tensor.
 *
 * Throws an {@linkcode InputError} for a type that is not read, and as {@linkcode toFloat32} for plain
 * types.
 *
 * ```ts
 * import { dequantize } from "./dequantize.ts";
 * import { ggmlType } from "./types.ts";
 * import assert from "node:assert";
 *
 * const block = new Uint8Array(34).fill(2);
 * block.set([0x00, 0x38]); // the scale 0.5
 * assert.deepEqual(dequantize(ggmlType("Q8_0"), block), new Float32Array(32).fill(1));
 * ```
 */
export function dequantize(
  type: GgmlType,
  bytes: Uint8Array,
  where: string = "tensor",
  first: number = 0,
): Float32Array {
  const { blockLength, blockBytes, name, dtype } = type;
  if (dtype !== undefined) return toFloat32(dtype, bytes, where, first);
  const read = readers.get(name);
  if (read === undefined) throw unreadable(type, where);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const blocks = bytes.length / blockBytes;
  const target = new Float32Array(blocks * blockLength);
  for (let block = 0; block < blocks; block++) {
    read(view, block * blockBytes, target, block * blockLength);
  }
  return target;
}

/** Says that a tensor's type is not read, and which are. */
export function unreadable({ name }: GgmlType, where: string): InputError {
  return new InputError(
    `${where}: is of ggml's type ${name}, which is not read; take the model in F32, F16, BF16 or one ` +
      `of ${readableQuantizations.join(", ")}`,
  );
}
