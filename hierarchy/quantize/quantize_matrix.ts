import { rowsPerPiece } from "../entropy/index_matrix.ts";
import { createErrorFeedbackKernel } from "../kernels/error_feedback_kernel.ts";
import type { ErrorMetric, Matrix } from "../levels/level.ts";
import type { RateTerm } from "./candidates.ts";
import {
  type AddErrors,
  addErrors,
  type FeedbackState,
  type RowRange,
  startFeedback,
} from "./error_feedback.ts";
import { reconstruct, type Trellis } from "./trellis.ts";
import { quantizeRun } from "./viterbi.ts";

let kernel: AddErrors | undefined;

function fastestAddErrors(): AddErrors {
  return kernel ??= createErrorFeedbackKernel() ?? addErrors;
}

/**
 * Quantizes a matrix in steps to indices, written to `indices`. Where it has an error metric, each row is quantized after
 * the weighted errors of the rows before it were added (error feedback: GPTQ, arXiv 2210.17323,
 * equal to LDLQ of QuIP, arXiv 2307.13304). The trellis runs on from row to row of a piece.
 * `rate.classes` has the class of every value, row-major.
 */
export function quantizeMatrix(
  trellis: Trellis,
  matrix: Matrix,
  rate?: RateTerm,
  indices: Int32Array = new Int32Array(matrix.data.length),
): Int32Array {
  const { rows, columns, metric } = matrix;
  if (metric !== undefined) {
    quantizeWithFeedback(trellis, matrix, metric, indices, rate);
    return indices;
  }
  const step = rowsPerPiece(columns);
  for (let row = 0; row < rows; row += step) {
    const start = row * columns, end = Math.min(rows, row + step) * columns;
    const run = matrix.data.subarray(start, end);
    quantizeRun(trellis, run, 0, indices.subarray(start, end), rateOf(rate, start, end));
  }
  return indices;
}

function rateOf(rate: RateTerm | undefined, start: number, end: number): RateTerm | undefined {
  return rate && { ...rate, classes: rate.classes.subarray(start, end) };
}

function quantizeWithFeedback(
  trellis: Trellis,
  matrix: Matrix,
  metric: ErrorMetric,
  indices: Int32Array,
  rate: RateTerm | undefined,
): void {
  const { data, rows, columns } = matrix;
  const feedback = startFeedback(matrix, metric);
  const { targets, errors } = feedback;
  const step = rowsPerPiece(columns);
  let state = 0;
  forEachRowWithFeedback(feedback, [0, rows], (i) => {
    if (i % step === 0) state = 0;
    const start = i * columns, end = start + columns;
    const row = indices.subarray(start, end), target = targets.subarray(start, end);
    const next = quantizeRun(trellis, target, state, row, rateOf(rate, start, end));
    writeErrors(trellis, state, row, data.subarray(start, end), errors.subarray(start, end));
    state = next;
  });
}

/**
 * Visits rows in order, each after the errors of those before it were added to it. Halves of halves
 * make nearly all of the work large matrix products, and every sum still runs over rows in order.
 */
function forEachRowWithFeedback(
  state: FeedbackState,
  [start, end]: RowRange,
  visit: (row: number) => void,
): void {
  if (end - start <= 1) {
    if (end > start) visit(start);
    return;
  }
  const middle = (start + end) >> 1;
  forEachRowWithFeedback(state, [start, middle], visit);
  fastestAddErrors()(state, [start, middle], [middle, end]);
  forEachRowWithFeedback(state, [middle, end], visit);
}

/** The error of a row is that of its own values, not of its targets. */
function writeErrors(
  trellis: Trellis,
  start: number,
  indices: Int32Array,
  data: Float32Array,
  errors: Float32Array,
): void {
  let state = start;
  for (let j = 0; j < indices.length; j++) {
    const k = indices[j]!;
    errors[j] = data[j]! - reconstruct(trellis, state & 1, k);
    state = trellis.transitions[2 * state + (k & 1)]!;
  }
}
