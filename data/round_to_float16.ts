const float = new Float64Array(1);
const words = new Uint32Array(float.buffer);
/** Adding it rounds to an integer, ties to even, what is below 2^51. */
const ROUNDING = 1.5 * 2 ** 52;

/** As {@linkcode roundToFloat16}, for engines without `Math.f16round`, such as Node 22's. */
export function roundToFloat16Slowly(value: number): number {
  float[0] = value;
  const exponent = ((words[1]! >>> 20) & 0x7ff) - 1023;
  if (exponent > 15) return exponent === 1024 ? value : Math.sign(value) * Infinity;
  const step = 2 ** (Math.max(exponent, -14) - 10);
  const rounded = (Math.abs(value) / step + ROUNDING - ROUNDING) * step;
  const magnitude = rounded > 65504 ? Infinity : rounded;
  return words[1]! >>> 31 === 1 ? -magnitude : magnitude;
}

/** The nearest number that 16 bits of IEEE 754 hold, ties to even; beyond 65504, infinity. */
export const roundToFloat16: (value: number) => number = Math.f16round ?? roundToFloat16Slowly;
