import { ZERO_SCALE } from "../format/constants.ts";
import { exp2Eighths } from "../entropy/exact_math.ts";

/** A scale that is not negative, rounded to eighths of an octave. */
export function logScale(value: number): number {
  if (value === 0) return ZERO_SCALE;
  return Math.round(Math.min(Math.max(8 * Math.log2(value), ZERO_SCALE + 1), -ZERO_SCALE - 1));
}

/** The scale of a code of {@linkcode logScale}; the same bits on every platform. */
export function scaleOf(code: number): number {
  return code === ZERO_SCALE ? 0 : exp2Eighths(code);
}
