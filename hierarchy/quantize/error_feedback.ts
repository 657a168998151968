import type { SentMatrix } from "../matrix/held_matrix.ts";
import type { ErrorMetric } from "../matrix/error_metric.ts";
import { type Diagonal, diagonalOf } from "../scan/diagonals.ts";
import type { FeedbackOperations } from "./feedback_operations.ts";
import {
  createFeedbackState,
  factorPlace,
  type FeedbackState,
  SUBTILE,
  TILE,
  valuePlace,
} from "./feedback_state.ts";

/** A state and the operations on it. */
export interface Feedback {
  /** The state. */
  readonly state: FeedbackState;
  /** What works on it. */
  readonly operations: FeedbackOperations;
}

/** Makes ready to quantize a matrix; see {@linkcode FeedbackState}. */
export function startFeedback(
  matrix: SentMatrix,
  metric: ErrorMetric,
  operations: FeedbackOperations,
): Feedback {
  return { state: createFeedbackState(matrix, metric, operations.allocate), operations };
}

/** Writes what the values of an anti-diagonal are to be quantized at; goes over them in order. */
export function readTargets(
  { state, operations }: Feedback,
  diagonal: Diagonal,
  targets: Float32Array,
): void {
  if (diagonal.number % SUBTILE === 0) {
    if (diagonal.number % TILE === 0) {
      state.reach?.(diagonal.number);
      addErrors(state, operations, diagonal.number, TILE);
    }
    addErrors(state, operations, diagonal.number, SUBTILE);
  }
  operations.gather(state, diagonal);
  targets.set(state.memory.subarray(state.targets, state.targets + diagonal.length));
}

/** Passes on the errors of an anti-diagonal whose values became `levels`. */
export function passOn(
  { state, operations }: Feedback,
  diagonal: Diagonal,
  levels: Float32Array,
): void {
  state.memory.set(levels.subarray(0, diagonal.length), state.targets);
  state.readOriginals(diagonal);
  operations.passOn(state, diagonal);
}

/**
 * Adds to the squares of `size` whose first value is on an anti-diagonal the errors that are known by
 * then: to tiles all but those of the tile before and their own; to subtiles those of the tile before
 * and their own, but not those of the subtile before and their own, which are passed on one by one.
 */
function addErrors(
  state: FeedbackState,
  operations: FeedbackOperations,
  number: number,
  size: number,
): void {
  const { height, width, above, rowFactors, left } = state;
  const squares = { rows: height / size, columns: width / size };
  if (number / size > squares.rows + squares.columns - 2) return;
  const { row, column, length } = diagonalOf(squares, number / size);
  for (let t = 0; t < length; t++) {
    const i = size * (row + t), j = size * (column - t);
    const top = firstKnown(i, size, 0);
    if (i - size > top) {
      operations.addProduct(state, {
        size,
        to: above + valuePlace(height, j, i),
        errors: above + valuePlace(height, j, top),
        bandLength: SUBTILE * height,
        factors: rowFactors + factorPlace(height, top, i),
        stripLength: SUBTILE * height,
        depth: i - size - top,
      });
    }
    if (left === undefined) continue;
    const start = left.starts[j]!, blockWidth = left.ends[j]! - start;
    const first = firstKnown(j, size, start);
    if (j - size > first) {
      operations.addProduct(state, {
        size,
        to: left.sums + valuePlace(width, i, j),
        errors: left.sums + valuePlace(width, i, first),
        bandLength: SUBTILE * width,
        factors: left.factors[j]! + factorPlace(blockWidth, first - start, j - start),
        stripLength: SUBTILE * blockWidth,
        depth: j - size - first,
      });
    }
  }
}

/** The first row or column whose errors are added to squares of `size` that begin at `index`. */
function firstKnown(index: number, size: number, start: number): number {
  return size === TILE ? start : Math.max(start, index - index % TILE - TILE);
}
