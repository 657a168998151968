import { forEachDiagonal, pieceLength, planPieces } from "../scan/pieces.ts";
import { type RowColumnScales, writeClasses } from "../entropy/row_column_scales.ts";
import { createErrorFeedbackKernel } from "./error_feedback_kernel.ts";
import { kernelOrReference } from "../kernels/kernel_or_reference.ts";
import type { IndexMatrix, Indices, IndicesPlace } from "../entropy/index_matrix.ts";
import { IndexFile } from "./index_file.ts";
import { IndexStore } from "./index_store.ts";
import type { SentMatrix } from "../matrix/held_matrix.ts";
import type { ErrorMetric } from "../matrix/error_metric.ts";
import { diagonalOf, valuesBefore } from "../scan/diagonals.ts";
import { passOn, readTargets, startFeedback } from "./error_feedback.ts";
import { feedbackOperations } from "./feedback_operations.ts";
import { diagonalReader } from "./matrix_window.ts";
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
 * order, or to a wider array where they do not fit, or to a file; gives where they are. Where the
 * matrix has an error metric, each value is quantized after the weighted errors above it and to its
 * left were added (error feedback, see `FeedbackState`), and the trellis is searched for each
 * anti-diagonal; otherwise for each piece. Of a matrix whose values are held otherwise than as they
 * are, no more is made than is looked at.
 */
export function quantizeMatrix<Place extends Indices | IndicesPlace>(
  trellis: Trellis,
  matrix: SentMatrix,
  rate: MatrixRateTerm | undefined,
  place: Place,
): Place extends Indices ? Indices : IndexMatrix["indices"];
export function quantizeMatrix(
  trellis: Trellis,
  matrix: SentMatrix,
  rate?: MatrixRateTerm,
): Indices;
export function quantizeMatrix(
  trellis: Trellis,
  matrix: SentMatrix,
  rate?: MatrixRateTerm,
  place: Indices | IndicesPlace = new Int32Array(matrix.rows * matrix.columns),
): IndexMatrix["indices"] {
  const { metric } = matrix;
  const store = "file" in place ? new IndexFile(place) : new IndexStore(place);
  if (metric === undefined) quantizePieces(trellis, matrix, rate, store);
  else quantizeDiagonals(trellis, matrix, metric, rate, store);
  return store.finish();
}

/** Where indices are written. */
type IndexSink = Pick<IndexStore, "set">;

function quantizePieces(
  trellis: Trellis,
  matrix: SentMatrix,
  rate: MatrixRateTerm | undefined,
  store: IndexSink,
): void {
  const read = diagonalReader(matrix);
  for (const piece of planPieces(matrix)) {
    const length = pieceLength(matrix, piece);
    const values = new Float32Array(length);
    const classes = new Uint8Array(rate === undefined ? 0 : length);
    const start = valuesBefore(matrix, piece.first);
    for (let number = piece.first; number < piece.end; number++) {
      const diagonal = diagonalOf(matrix, number);
      const at = diagonal.position - start;
      read(diagonal, values.subarray(at));
      if (rate !== undefined) writeClasses(rate.scales, diagonal, classes.subarray(at));
    }
    const run = new Int32Array(length);
    quantizeRun(trellis, values, 0, run, rate && { ...rate, classes });
    store.set(run, start);
  }
}

function quantizeDiagonals(
  trellis: Trellis,
  matrix: SentMatrix,
  metric: ErrorMetric,
  rate: MatrixRateTerm | undefined,
  store: IndexSink,
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
    passOn(feedback, diagonal, levels);
    return next;
  });
}
