import { forEachDiagonal, pieceLength, planPieces } from "../scan/pieces.ts";
import { type RowColumnScales, writeClasses } from "../entropy/row_column_scales.ts";
import { createErrorFeedbackKernel } from "./error_feedback_kernel.ts";
import { kernelOrReference } from "../kernels/kernel_or_reference.ts";
import type { Indices } from "../entropy/index_matrix.ts";
import { IndexStore } from "./index_store.ts";
import type { Matrix } from "../matrix/matrix.ts";
import type { ErrorMetric } from "../matrix/error_metric.ts";
import { type Diagonal, diagonalOf, valuesBefore } from "../scan/diagonals.ts";
import { passOn, readTargets, startFeedback } from "./error_feedback.ts";
import { feedbackOperations } from "./feedback_operations.ts";
import type { Trellis } from "../scan/trellis.ts";
import { quantizeRun } from "./viterbi.ts";

const fastestOperations = kernelOrReference(createErrorFeedbackKernel, feedbackOperations);

/** How much a bit costs while quantizing a matrix. */
export interface MatrixRateTerm {
  /** Squared steps that one bit is worth. */
  readonly rateWeight: number;
  /** Bits of each index, see `symbolCosts`. */
  readonly costs: Float32Array;
  /** Log-scales of the matrix. */
  readonly scales: RowColumnScales;
}

/**
 * Quantizes a matrix in steps to indices, anti-diagonal by anti-diagonal, written to `indices` in that
 * order, or to a wider array where they do not fit; gives the array. Where the matrix has an error metric, each value is quantized after the weighted errors
 * above it and to its left were added (error feedback, see `FeedbackState`), and the trellis is
 * searched for each anti-diagonal; otherwise for each piece.
 */
export function quantizeMatrix(
  trellis: Trellis,
  matrix: Matrix,
  rate?: MatrixRateTerm,
  indices: Indices = new Int32Array(matrix.rows * matrix.columns),
): Indices {
  const { metric } = matrix;
  const store = new IndexStore(indices);
  if (metric === undefined) quantizePieces(trellis, matrix, rate, store);
  else quantizeDiagonals(trellis, matrix, metric, rate, store);
  return store.indices;
}

function quantizePieces(
  trellis: Trellis,
  matrix: Matrix,
  rate: MatrixRateTerm | undefined,
  store: IndexStore,
): void {
  for (const piece of planPieces(matrix)) {
    const length = pieceLength(matrix, piece);
    const values = new Float32Array(length);
    const classes = new Uint8Array(rate === undefined ? 0 : length);
    const start = valuesBefore(matrix, piece.first);
    for (let number = piece.first; number < piece.end; number++) {
      const diagonal = diagonalOf(matrix, number);
      const at = diagonal.position - start;
      readValues(matrix, diagonal, values.subarray(at));
      if (rate !== undefined) writeClasses(rate.scales, diagonal, classes.subarray(at));
    }
    const run = new Int32Array(length);
    quantizeRun(trellis, values, 0, run, rate && { ...rate, classes });
    store.set(run, start);
  }
}

function quantizeDiagonals(
  trellis: Trellis,
  matrix: Matrix,
  metric: ErrorMetric,
  rate: MatrixRateTerm | undefined,
  store: IndexStore,
): void {
  const feedback = startFeedback(matrix, metric, fastestOperations());
  const longest = Math.min(matrix.rows, matrix.columns);
  const targets = new Float32Array(longest), levels = new Float32Array(longest);
  const classes = new Uint8Array(longest), indices = new Int32Array(longest);
  forEachDiagonal(matrix, (diagonal, state) => {
    const { position, length } = diagonal;
    readTargets(feedback, diagonal, targets);
    if (rate !== undefined) writeClasses(rate.scales, diagonal, classes);
    const run = indices.subarray(0, length);
    const next = quantizeRun(
      trellis,
      targets.subarray(0, length),
      state,
      run,
      rate && { ...rate, classes: classes.subarray(0, length) },
      levels,
    );
    store.set(run, position);
    passOn(feedback, diagonal, matrix, levels);
    return next;
  });
}

function readValues({ data, columns }: Matrix, diagonal: Diagonal, values: Float32Array): void {
  let at = diagonal.row * columns + diagonal.column;
  for (let t = 0; t < diagonal.length; t++, at += columns - 1) values[t] = data[at]!;
}
