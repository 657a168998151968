/**
 * The bits of values as float16, where every one of them is a float16 number; `small` says whether
 * those below the least normal one count.
 */
export function halvesOf(values: Float32Array, small: boolean): Uint16Array | undefined {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const halves = new Uint16Array(Math.ceil(words.length / 2) * 2);
  for (let i = 0; i < words.length; i++) {
    const half = halfOf(words[i]!, values[i]!, small);
    if (half < 0) return undefined;
    halves[i] = half;
  }
  return halves;
}

/** The bits of a float32 number as those of the float16 number that equals it; -1 where none does. */
function halfOf(word: number, value: number, small: boolean): number {
  const sign = word >>> 16 & 0x8000;
  const magnitude = word & 0x7fffffff;
  if (magnitude === 0) return sign;
  if (magnitude >= 0x38800000) {
    return magnitude < 0x47800000 && (word & 0x1fff) === 0
      ? sign | (magnitude - 0x38000000) >>> 13
      : -1;
  }
  const units = Math.abs(value) * 2 ** 24;
  return small && Number.isInteger(units) ? sign | units : -1;
}
