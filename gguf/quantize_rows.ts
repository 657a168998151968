import { fromFloat32 } from "../data/from_float32.ts";
import type { GgmlType } from "../data/gguf/types.ts";
import type { BlockWriter } from "./block_writer.ts";
import { writeQ4_K, writeQ6_K } from "./k_blocks.ts";
import { writeQ4_0, writeQ5_0, writeQ8_0 } from "./legacy_blocks.ts";

const writers: ReadonlyMap<string, BlockWriter> = new Map([
  ["Q4_0", writeQ4_0],
  ["Q5_0", writeQ5_0],
  ["Q8_0", writeQ8_0],
  ["Q4_K", writeQ4_K],
  ["Q6_K", writeQ6_K],
]);

/**
 * Values, a whole number of blocks, as bytes of a type: `F32`, `F16`, `BF16`, `Q8_0`, `Q5_0`, `Q4_0`,
 * `Q4_K` or `Q6_K`. Throws a RangeError for another type and where blocks are not whole.
 *
 * ```ts
 * import { ggmlType, quantizeRows } from "@kanpress/kanpress/gguf";
 * import assert from "node:assert";
 *
 * const values = Float32Array.from({ length: 32 }, (_, i) => i - 16);
 * assert.equal(quantizeRows(ggmlType("Q8_0"), values).length, 34);
 * ```
 */
export function quantizeRows(type: GgmlType, values: Float32Array): Uint8Array {
  const { name, dtype, blockLength, blockBytes } = type;
  if (dtype !== undefined) return fromFloat32(dtype, values);
  const write = writers.get(name);
  const blocks = values.length / blockLength;
  if (write === undefined) throw new RangeError(`${name} is not written`);
  if (!Number.isInteger(blocks)) {
    throw new RangeError(`${values.length} values are not whole blocks of ${blockLength}`);
  }
  const bytes = new Uint8Array(blocks * blockBytes);
  const view = new DataView(bytes.buffer);
  for (let block = 0; block < blocks; block++) {
    write(values, block * blockLength, view, block * blockBytes);
  }
  return bytes;
}

/** Gives the bytes of values, a whole number of blocks, piece by piece. */
export type Quantize = (type: GgmlType, values: Float32Array) => AsyncIterable<Uint8Array>;

/** Values that are quantized at once, whole blocks of every type: between them, work can be stopped. */
export const PIECE = 2 ** 16;

/** Quantizes on the calling thread. */
export async function* quantizeHere(
  type: GgmlType,
  values: Float32Array,
): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < values.length; start += PIECE) {
    yield await Promise.resolve(quantizeRows(type, values.subarray(start, start + PIECE)));
  }
}
