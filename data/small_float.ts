/**
 * A binary float format narrower than float32: one sign bit, then the exponent, then the mantissa.
 */
export interface SmallFloatFormat {
  /** Bits of an element: 8 or 16. */
  readonly bits: number;
  /** Bits of the mantissa. */
  readonly mantissaBits: number;
  /** What is added to an exponent to store it. */
  readonly bias: number;
  /** Pattern of the largest finite value. */
  readonly largest: number;
  /** Pattern that a value beyond the largest becomes: infinity, or NaN where there is none. */
  readonly overflow: number;
}

/** IEEE 754 binary16. */
export const float16: SmallFloatFormat = {
  bits: 16,
  mantissaBits: 10,
  bias: 15,
  largest: 0x7bff,
  overflow: 0x7c00,
};

/** OCP 8-bit floating point E5M2 (https://www.opencompute.org), which has infinities. */
export const float8E5M2: SmallFloatFormat = {
  bits: 8,
  mantissaBits: 2,
  bias: 15,
  largest: 0x7b,
  overflow: 0x7c,
};

/** OCP 8-bit floating point E4M3: no infinities, largest value 448, one NaN for each sign. */
export const float8E4M3: SmallFloatFormat = {
  bits: 8,
  mantissaBits: 3,
  bias: 7,
  largest: 0x7e,
  overflow: 0x7f,
};

const infinity32 = 0x7f800000;

/** The float32 bit pattern of every pattern of the format; each value is exact. */
export function decodeTable(format: SmallFloatFormat): Uint32Array {
  const { bits, mantissaBits, bias, largest } = format;
  const table = new Uint32Array(2 ** bits);
  const float = new Float32Array(1);
  const word = new Uint32Array(float.buffer);
  const half = 2 ** (bits - 1);
  for (let pattern = 0; pattern < half; pattern++) {
    const exponent = pattern >>> mantissaBits;
    const mantissa = pattern & ((1 << mantissaBits) - 1);
    if (pattern > largest) {
      word[0] = infinity32 | (mantissa << (23 - mantissaBits));
    } else if (exponent === 0) {
      float[0] = mantissa * 2 ** (1 - bias - mantissaBits);
    } else {
      word[0] = ((exponent - bias + 127) << 23) | (mantissa << (23 - mantissaBits));
    }
    table[pattern] = word[0]!;
    table[pattern + half] = word[0]! | 0x80000000;
  }
  return table;
}

/**
 * Rounds float32 bit patterns to the nearest value of the format, ties to the even mantissa, into
 * `out`. A NaN keeps what fits of its mantissa.
 */
export function encodeSmallFloats(
  format: SmallFloatFormat,
  words: Uint32Array,
  out: Uint8Array | Uint16Array,
): void {
  const { bits, mantissaBits, bias, largest, overflow } = format;
  const shift = 23 - mantissaBits;
  const signShift = 32 - bits;
  const signMask = 1 << (bits - 1);
  const smallestNormal = 128 - bias; // the float32 exponent field of the format's 2^(1 - bias)
  const rebias = (smallestNormal - 1) << 23;
  const halfBelow = (1 << (shift - 1)) - 1;
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    const magnitude = word & 0x7fffffff;
    let pattern = 0;
    if (magnitude > infinity32) {
      pattern = nanPattern(overflow, (magnitude & 0x7fffff) >>> shift);
    } else if (magnitude >>> 23 >= smallestNormal) {
      const scaled = magnitude - rebias;
      pattern = (scaled + halfBelow + ((scaled >>> shift) & 1)) >>> shift;
      if (pattern > largest) pattern = overflow;
    } else {
      const drop = shift + smallestNormal - (magnitude >>> 23);
      // Below half of the smallest subnormal nothing is left.
      if (drop <= 24) {
        const mantissa = (magnitude & 0x7fffff) | 0x800000;
        pattern = (mantissa + (1 << (drop - 1)) - 1 + ((mantissa >>> drop) & 1)) >>> drop;
      }
    }
    out[i] = ((word >>> signShift) & signMask) | pattern;
  }
}

/** A NaN whose mantissa bits were all dropped would read as infinity: sets the quiet bit. */
function nanPattern(overflow: number, mantissa: number): number {
  if (overflow === float8E4M3.overflow) return overflow;
  const quiet = overflow === float16.overflow ? 0x200 : 0x2;
  return overflow | (mantissa === 0 ? quiet : mantissa);
}
