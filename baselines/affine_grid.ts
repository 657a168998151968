import { roundToFloat16 } from "../data/round_to_float16.ts";
/** Values at scale · (q − zero), q = 0 .. 2^bits − 1. */
export interface AffineGrid {
  /** Distance of neighbouring values, as f16 holds it; 0 for values that are all zero. */
  readonly scale: number;
  /** The integer that stands for 0. */
  readonly zero: number;
  /** The highest integer, 2^bits − 1. */
  readonly top: number;
}

/** Settings of {@linkcode fitAffineGrid}. */
export interface AffineGridOptions {
  /** Bits of a weight, 2 to 8. */
  readonly bits: number;
  /** Put 0 in the middle and store no zero point. */
  readonly symmetric: boolean;
  /** Shrink the range to where the weighted squared error is least. */
  readonly searchClip: boolean;
}

/** Ranges that the search tries, from the whole to a fifth of it. */
const CLIP_STEPS = 64;
const SMALLEST_RANGE = 0.2;

/** Fits a grid to values and their weights in the squared error. */
export function fitAffineGrid(
  values: Float64Array,
  weights: Float64Array,
  { bits, symmetric, searchClip }: AffineGridOptions,
): AffineGrid {
  const top = 2 ** bits - 1;
  let low = 0, high = 0;
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (symmetric) {
    high = Math.max(high, -low);
    low = -high;
  }
  const full = gridOfRange(low, high, top, symmetric);
  if (!searchClip) return full;
  let best = full, bestError = gridError(full, values, weights);
  for (let i = 1; i < CLIP_STEPS; i++) {
    const share = 1 - (1 - SMALLEST_RANGE) * i / (CLIP_STEPS - 1);
    const grid = gridOfRange(share * low, share * high, top, symmetric);
    const error = gridError(grid, values, weights);
    if (error < bestError) [best, bestError] = [grid, error];
  }
  return best;
}

function gridOfRange(low: number, high: number, top: number, symmetric: boolean): AffineGrid {
  const scale = roundToFloat16((high - low) / top);
  if (scale === 0) return { scale: 0, zero: 0, top };
  const zero = symmetric ? (top + 1) / 2 : Math.min(Math.max(Math.round(-low / scale), 0), top);
  return { scale, zero, top };
}

/** The integer of the grid that is nearest to a value. */
export function roundToGrid({ scale, zero, top }: AffineGrid, value: number): number {
  if (scale === 0) return 0;
  return scale * (Math.min(Math.max(Math.round(value / scale) + zero, 0), top) - zero);
}

function gridError(grid: AffineGrid, values: Float64Array, weights: Float64Array): number {
  let error = 0;
  for (let i = 0; i < values.length; i++) {
    error += weights[i]! * (values[i]! - roundToGrid(grid, values[i]!)) ** 2;
  }
  return error;
}

/** Bits that the grid of one group takes: an f16 scale, and a zero point unless symmetric. */
export function gridBits({ bits, symmetric }: AffineGridOptions): number {
  return 16 + (symmetric ? 0 : bits);
}
