/**
 * Powers and logarithms of two that are the same to the last bit on every platform: `Math.exp2` and
 * its kin may round differently from engine to engine, and a decoder must rebuild the encoder's
 * tables exactly.
 */

/** 2^(i/16) for i = 0 .. 15, correctly rounded to float64. */
const SIXTEENTH_POWERS = sixteenthPowers();

/** Square roots are exactly rounded by IEEE 754, so repeated roots of two agree everywhere. */
function sixteenthPowers(): Float64Array {
  const half = Math.sqrt(2), quarter = Math.sqrt(half), eighth = Math.sqrt(quarter);
  const sixteenth = Math.sqrt(eighth);
  return Float64Array.from({ length: 16 }, (_, i) => {
    let power = 1;
    if (i & 8) power *= half;
    if (i & 4) power *= quarter;
    if (i & 2) power *= eighth;
    if (i & 1) power *= sixteenth;
    return power;
  });
}

/** 2^(units/16) for an integer number of sixteenths of an octave, from -16,000 to 16,000. */
export function exp2Sixteenths(units: number): number {
  const octaves = Math.floor(units / 16);
  let scale = 1;
  const step = octaves < 0 ? 0.5 : 2;
  for (let i = Math.abs(octaves); i > 0; i--) scale *= step;
  return SIXTEENTH_POWERS[units - 16 * octaves]! * scale;
}

/** 2^(units/8) for an integer number of eighths of an octave. */
export function exp2Eighths(units: number): number {
  return exp2Sixteenths(2 * units);
}

/** log2 of a positive integer below 2^31, rounded down to a multiple of 2^-16. */
export function log2Integer(value: number): number {
  const whole = 31 - Math.clz32(value);
  let mantissa = value;
  for (let i = 0; i < whole; i++) mantissa /= 2;
  let result = whole;
  // Squaring a number in [1, 2) doubles its logarithm: each overflow past 2 is the next binary digit.
  for (let digit = 0.5; digit >= 2 ** -16; digit /= 2) {
    mantissa *= mantissa;
    if (mantissa >= 2) {
      mantissa /= 2;
      result += digit;
    }
  }
  return result;
}
