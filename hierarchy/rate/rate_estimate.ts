import { greatest } from "../../data/extremes.ts";
import { bisect } from "../matrix/bisect.ts";
import { matrixBlocks } from "../matrix/matrix_blocks.ts";
import type { Matrices, Matrix } from "../matrix/matrix.ts";
import { typicalSquareOfParts } from "../matrix/typical_square.ts";

/** How many bits a matrix takes at a step, before anything is quantized. */
export interface MatrixRate {
  /** Number of values. */
  readonly values: number;
  /** How many of the sampled values have a magnitude of 2^(LOWEST + i / BINS) steps of 1. */
  readonly histogram: Float64Array;
  /** Number of sampled values, zeros among them. */
  readonly sampled: number;
  /** log2 of the largest magnitude in steps of 1; -Infinity where all are zero. */
  readonly largest: number;
}

/** An estimate for all matrices. */
export interface RateEstimate {
  /** Of each matrix. */
  readonly matrices: readonly MatrixRate[];
  /** log2 of a step at which every value is zero. */
  readonly coarsest: number;
  /** log2 of the finest step at which no index is out of range and more bits change nothing. */
  readonly finest: number;
}

/** Bins of an octave. */
const BINS = 4;
/** log2 of the magnitudes in the first bin; smaller ones are counted there. */
const LOWEST = -160;
const HIGHEST = 160;
/** Values of a matrix that are looked at, about. */
const SAMPLES = 1 << 16;
/** Bits that a normal value takes above the log2 of its magnitude in steps, on average. */
const NORMAL_BITS = 2.963;
/** How sharply the rate bends to zero; chosen by the entropy of a quantized normal value. */
const BEND = 4;
/** log2 of the largest index magnitude that is aimed at; quantizers stop at 2^28. */
const LARGEST_LOG_INDEX = 26;
/** Finer than the rounding of float32, in bits per value: such steps keep nothing more. */
const FINEST_BITS = 26;

/**
 * Estimates what matrices take at any step from a histogram of their magnitudes in the steps that a
 * field level gives it, in one pass. `spacing` is the distance of a quantizer's points in steps: 1
 * for a scalar one, 2 for those of a trellis. Within a quarter of a bit per value above one bit.
 */
export function estimateRate(matrices: Matrices, spacing: number): RateEstimate {
  const rates = matrices.map((matrix) => matrixRate(matrix, Math.log2(spacing)));
  const largest = greatest(rates.map((matrix) => matrix.largest));
  const total = { matrices: rates, coarsest: 0, finest: 0 };
  if (largest === -Infinity) return total;
  const finest = solveFalling(
    (logStep) => estimatedBits(total, logStep) / valuesOf(total),
    FINEST_BITS,
    [largest - LARGEST_LOG_INDEX, largest],
  );
  return { matrices: rates, coarsest: largest + 4, finest };
}

function matrixRate(matrix: Matrix, logSpacing: number): MatrixRate {
  const { rows, columns } = matrix;
  const rowScales = logScales(matrix, logSpacing);
  const columnWeights = matrix.metric?.columnWeights ?? new Float64Array(columns).fill(1);
  const histogram = new Float64Array((HIGHEST - LOWEST) * BINS);
  // Odd, so that no column of a power of two is left out.
  const stride = Math.floor(rows * columns / SAMPLES) | 1;
  let largest = -Infinity, sampled = 0;
  for (const block of matrixBlocks(matrix)) {
    for (let i = block.row, from = 0; i < block.row + block.rows; i++, from += block.columns) {
      let peak = 0;
      for (let j = 0; j < block.columns; j++) {
        const magnitude = Math.abs(block.data[from + j]!) * columnWeights[block.column + j]!;
        if (magnitude > peak) peak = magnitude;
      }
      if (peak > 0) largest = Math.max(largest, Math.log2(peak) + rowScales[i]!);
      // Every stride-th value of the whole matrix.
      const start = i * columns + block.column;
      for (let j = (stride - start % stride) % stride; j < block.columns; j += stride) {
        sampled++;
        const magnitude = Math.abs(block.data[from + j]!) * columnWeights[block.column + j]!;
        if (magnitude === 0) continue;
        const bin = Math.floor((Math.log2(magnitude) + rowScales[i]! - LOWEST) * BINS);
        histogram[Math.min(Math.max(bin, 0), histogram.length - 1)]! += 1;
      }
    }
  }
  return { values: rows * columns, histogram, sampled, largest };
}

/** -log2 of each row's steps, but for the columns' part. */
function logScales(matrix: Matrix, logSpacing: number): Float64Array {
  const { rows, metric } = matrix;
  if (metric !== undefined) return metric.rowWeights.map((w) => Math.log2(w) - logSpacing);
  const square = typicalSquareOfParts(() => matrixBlocks(matrix));
  const logSize = square > 0 ? 0.5 * Math.log2(square) : 0;
  return new Float64Array(rows).fill(-logSize - logSpacing);
}

/** Bits of one matrix at 2^logStep. */
export function matrixBits({ histogram, sampled, values }: MatrixRate, logStep: number): number {
  if (sampled === 0) return 0;
  let bits = 0;
  for (let bin = 0; bin < histogram.length; bin++) {
    const count = histogram[bin]!;
    if (count > 0) bits += count * valueBits(LOWEST + (bin + 0.5) / BINS - logStep);
  }
  return bits * values / sampled;
}

/** Bits of a value of 2^logMagnitude steps: a line that bends to zero. */
function valueBits(logMagnitude: number): number {
  const exponent = BEND * (logMagnitude + NORMAL_BITS);
  return exponent > 40 ? exponent / BEND : Math.log2(1 + 2 ** exponent) / BEND;
}

/** Bits of all matrices at 2^logStep. */
export function estimatedBits({ matrices }: RateEstimate, logStep: number): number {
  return matrices.reduce((bits, matrix) => bits + matrixBits(matrix, logStep), 0);
}

/** log2 of the step at which all matrices take `bits` together, within the estimate's limits. */
export function logStepOf(estimate: RateEstimate, bits: number): number {
  const { finest, coarsest } = estimate;
  return solveFalling((logStep) => estimatedBits(estimate, logStep), bits, [finest, coarsest]);
}

function valuesOf({ matrices }: RateEstimate): number {
  return matrices.reduce((sum, { values }) => sum + values, 0);
}

/** Where a falling function has a value, by halving; the nearer end where it has it nowhere. */
export function solveFalling(
  f: (x: number) => number,
  value: number,
  range: readonly [number, number],
): number {
  const [low, high] = bisect(range, (x) => f(x) > value, 50);
  return (low + high) / 2;
}
