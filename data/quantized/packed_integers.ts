/**
 * Reads `count` unsigned integers of `bits` bits, from 2 to 8, that stand one behind the other in words of 32
 * bits, lowest bits first, from one word to the next. Word i is `words[first + i * stride]`, so that
 * both rows and columns of a matrix can be read.
 *
 * ```ts
 * import { unpackIntegers } from "./packed_integers.ts";
 * import assert from "node:assert";
 *
 * const words = Int32Array.of(0x76543210);
 * const found = unpackIntegers(words, { first: 0, stride: 1, bits: 4, count: 8 });
 * assert.deepEqual([...found], [0, 1, 2, 3, 4, 5, 6, 7]);
 * ```
 */
export function unpackIntegers(
  words: Int32Array,
  { first, stride, bits, count }: {
    readonly first: number;
    readonly stride: number;
    readonly bits: number;
    readonly count: number;
  },
): Uint8Array {
  const integers = new Uint8Array(count);
  const mask = (1 << bits) - 1;
  for (let i = 0; i < count; i++) {
    const bit = i * bits, shift = bit & 31;
    const at = first + (bit >>> 5) * stride;
    let value = words[at]! >>> shift;
    // Integers of 3, 5, 6 and 7 bits go over from one word to the next.
    if (shift + bits > 32) value |= words[at + stride]! << (32 - shift);
    integers[i] = value & mask;
  }
  return integers;
}
