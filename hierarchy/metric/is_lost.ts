import type { ErrorMetric } from "../matrix/error_metric.ts";
import type { Matrix } from "../matrix/matrix.ts";
import { matrixBlocks } from "../matrix/matrix_blocks.ts";
import { typicalSquareOfParts } from "../matrix/typical_square.ts";
import { packedIndex } from "./packed_upper.ts";

/** What rounding makes of an error that is as large as what was coded. */
const ROUNDING = 1e-9;

/**
 * Loss, in that of zeros, beyond which a matrix with a metric is lost. Error feedback is not optimal:
 * at the lowest rates it may do a little worse than zeros.
 */
const LARGEST_LOSS = 4;

/** Values of this many steps are never coded as zeros, whatever a bit is worth. */
const CLEAR_STEPS = 8;

/** What is summed up over the values of a matrix and their errors. */
export interface ErrorSums {
  /** Sum of the squares of the values. */
  energy: number;
  /** Sum of the squares of the errors. */
  missed: number;
  /** Sum of the magnitudes that were decoded. */
  decoded: number;
}

/** Adds some values, and what is missed of each, to sums. */
export function addErrors(sums: ErrorSums, values: Float32Array, errors: Float32Array): void {
  let { energy, missed, decoded } = sums;
  for (let i = 0; i < values.length; i++) {
    energy += values[i]! * values[i]!;
    missed += errors[i]! * errors[i]!;
    decoded += Math.abs(values[i]! - errors[i]!);
  }
  Object.assign(sums, { energy, missed, decoded });
}

/**
 * Whether coding has lost a matrix: what it decodes to is no nearer to it than zeros would be, and is
 * not zeros because its values are below the quantizer's `step`, as at the lowest rates. The error is
 * the matrix less what it decodes to; all of it is asked for only where its sums do not tell.
 */
export function isLost(
  matrix: Matrix,
  { energy, missed, decoded }: ErrorSums,
  wholeError: () => Float32Array,
  step: number,
): boolean {
  const { metric } = matrix;
  if (missed < energy * (1 - ROUNDING)) return false;
  if (decoded === 0) return largestQuotient(matrix) > CLEAR_STEPS * step;
  if (metric === undefined || decoded * decoded < ROUNDING * energy) return true;
  // Feedback trades errors against each other: what counts is their effect.
  const error = wholeError(), { data } = matrix;
  return !(loss(matrix, error, metric) <= LARGEST_LOSS * loss(matrix, data, metric));
}

/** The largest value in steps of 1. */
function largestQuotient(matrix: Matrix): number {
  const { metric } = matrix;
  let largest = 0;
  for (const { row, column, rows, columns, data } of matrixBlocks(matrix)) {
    for (let i = 0, at = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++, at++) {
        const weight = metric === undefined
          ? 1
          : metric.rowWeights[row + i]! * metric.columnWeights[column + j]!;
        largest = Math.max(largest, Math.abs(data[at]!) * weight);
      }
    }
  }
  if (metric !== undefined) return largest;
  return largest / Math.sqrt(typicalSquareOfParts(() => matrixBlocks(matrix)));
}

/** Sum of the squares of Uᵀ E, each times its column's weight. */
function loss({ rows, columns }: Matrix, errors: Float32Array, metric: ErrorMetric): number {
  const { rowWeights, columnWeights, feedback } = metric;
  const sums = new Float64Array(columns);
  let squares = 0;
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) sums[j] = errors[i * columns + j]!;
    for (let k = 0; k < i; k++) {
      const factor = feedback[packedIndex(rows, k, i)]!;
      for (let j = 0; j < columns; j++) sums[j]! += factor * errors[k * columns + j]!;
    }
    for (let j = 0; j < columns; j++) {
      squares += (sums[j]! * rowWeights[i]! * columnWeights[j]!) ** 2;
    }
  }
  return squares;
}
