import { metricOf, weightsOf } from "../matrix/error_metric.ts";
import { withProperties } from "../matrix/held_matrix.ts";
import type { Matrices } from "../matrix/matrix.ts";
import { estimatedBits, matrixBits, type RateEstimate, solveFalling } from "./rate_estimate.ts";

/** A matrix' step is moved by at most this many octaves. */
const LARGEST_SHIFT = 40;

/**
 * Octaves by which each matrix' steps are to be moved so that all matrices take the same bits a
 * value at 2^logStep, and together what they take unmoved. Matrices of zeros stay where they are.
 */
export function uniformShifts(estimate: RateEstimate, logStep: number): number[] {
  const values = estimate.matrices.reduce((sum, matrix) => sum + matrix.values, 0);
  const bits = estimatedBits(estimate, logStep) / values;
  return estimate.matrices.map((matrix) => {
    if (matrix.largest === -Infinity) return 0;
    const range = [-LARGEST_SHIFT, LARGEST_SHIFT] as const;
    return solveFalling(
      (shift) => matrixBits(matrix, logStep + shift) / matrix.values,
      bits,
      range,
    );
  });
}

/**
 * The matrices with each matrix' steps 2^shift times as large, and steps within a matrix in the same
 * proportions. A matrix without a metric has steps by its own size already, and stays as it is.
 */
export function shiftSteps(matrices: Matrices, shifts: readonly number[]): Matrices {
  return matrices.map((matrix, i) => {
    const { metric } = matrix;
    if (metric === undefined) return matrix;
    const factor = 2 ** -shifts[i]!;
    const rowWeights = metric.rowWeights.map((weight) => weight * factor);
    return withProperties(matrix, {
      metric: metricOf(metric, { ...weightsOf(metric), rowWeights }),
    });
  });
}
