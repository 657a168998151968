import type { BlockWriter } from "./block_writer.ts";
import { putHalf } from "./put_half.ts";

/**
 * Quantizers of ggml's types with blocks of 32 values and one scale. Arithmetic is in float32, step
 * by step, so that the bytes are those of PyPI's gguf.
 */

const { fround } = Math;

/** d · q of signed bytes: the largest magnitude becomes 127. */
export const writeQ8_0: BlockWriter = (values, from, view, at) => {
  let largest = 0;
  for (let i = 0; i < 32; i++) largest = Math.max(largest, Math.abs(values[from + i]!));
  const scale = fround(largest / 127);
  const inverse = scale === 0 ? 0 : fround(1 / scale);
  putHalf(view, at, scale);
  for (let i = 0; i < 32; i++) {
    view.setInt8(at + 2 + i, roundAway(fround(values[from + i]! * inverse)));
  }
};

/** d · q of 4 bits from -8 on: the value of the largest magnitude becomes -8. */
export const writeQ4_0: BlockWriter = (values, from, view, at) => {
  const integers = new Uint8Array(32);
  putHalf(view, at, roundFromLargest(values, from, 8, integers));
  for (let i = 0; i < 16; i++) view.setUint8(at + 2 + i, integers[i]! | integers[i + 16]! << 4);
};

/** d · q of 5 bits from -16 on; the highest bits of all values stand before the others. */
export const writeQ5_0: BlockWriter = (values, from, view, at) => {
  const integers = new Uint8Array(32);
  putHalf(view, at, roundFromLargest(values, from, 16, integers));
  let high = 0;
  for (let i = 0; i < 32; i++) high |= (integers[i]! >> 4) << i;
  view.setUint32(at + 2, high >>> 0, true);
  for (let i = 0; i < 16; i++) {
    view.setUint8(at + 6 + i, integers[i]! & 15 | (integers[i + 16]! & 15) << 4);
  }
};

/** Half away from zero, unlike Math.round. */
function roundAway(value: number): number {
  return Math.sign(value) * Math.floor(Math.abs(value) + 0.5);
}

/** Writes `q + half` of every value, the first of the largest being 0, and gives the scale. */
function roundFromLargest(
  values: Float32Array,
  from: number,
  half: number,
  integers: Uint8Array,
): number {
  let extreme = values[from]!;
  for (let i = 1; i < 32; i++) {
    const value = values[from + i]!;
    if (Math.abs(value) > Math.abs(extreme)) extreme = value;
  }
  const scale = fround(extreme / -half);
  const inverse = scale === 0 ? 0 : fround(1 / scale);
  for (let i = 0; i < 32; i++) {
    const shifted = fround(fround(values[from + i]! * inverse) + half + 0.5);
    integers[i] = Math.min(Math.trunc(shifted), 2 * half - 1);
  }
  return scale;
}
