import { rowsPerPiece } from "../entropy/index_matrix.ts";
import type { Matrix } from "../levels/level.ts";
import { reconstruct, type Trellis } from "./trellis.ts";
import type { RateTerm } from "./candidates.ts";
import { quantizeRun } from "./viterbi.ts";

/** Rows whose errors are fed back to the rows after them in one go. */
const BLOCK = 32;

/**
 * Quantizes a matrix in steps to indices. Where it has an error metric, each row is quantized after
 * the weighted errors of the rows before it were added (error feedback: GPTQ, arXiv 2210.17323,
 * equal to LDLQ of QuIP, arXiv 2307.13304). The trellis runs on from row to row of a piece.
 * `rate.classes` has the class of every value, row-major.
 */
export function quantizeMatrix(trellis: Trellis, matrix: Matrix, rate?: RateTerm): Int32Array {
  const { rows, columns, metric } = matrix;
  const indices = new Int32Array(rows * columns);
  if (metric !== undefined) {
    quantizeWithFeedback(trellis, matrix, metric.factor, indices, rate);
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
  { data, rows, columns }: Matrix,
  factor: Float64Array,
  indices: Int32Array,
  rate: RateTerm | undefined,
): void {
  const targets = Float32Array.from(data);
  const errors = new Float32Array(rows * columns);
  const step = rowsPerPiece(columns);
  let state = 0;
  for (let blockStart = 0; blockStart < rows; blockStart += BLOCK) {
    const blockEnd = Math.min(rows, blockStart + BLOCK);
    for (let i = blockStart; i < blockEnd; i++) {
      addErrors(targets, errors, factor, rows, columns, [blockStart, i], [i, i + 1]);
      if (i % step === 0) state = 0;
      const start = i * columns, end = start + columns;
      const row = indices.subarray(start, end), target = targets.subarray(start, end);
      const next = quantizeRun(trellis, target, state, row, rateOf(rate, start, end));
      writeErrors(trellis, state, row, data.subarray(start, end), errors.subarray(start, end));
      state = next;
    }
    addErrors(targets, errors, factor, rows, columns, [blockStart, blockEnd], [blockEnd, rows]);
  }
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

/** Adds to each row i of `to` the sum over rows k of `from` of U_ki / U_ii times the error of k. */
function addErrors(
  targets: Float32Array,
  errors: Float32Array,
  factor: Float64Array,
  rows: number,
  columns: number,
  [fromStart, fromEnd]: readonly [number, number],
  [toStart, toEnd]: readonly [number, number],
): void {
  for (let i = toStart; i < toEnd; i++) {
    const inverse = 1 / factor[i * rows + i]!;
    const at = i * columns;
    for (let k = fromStart; k < fromEnd; k++) {
      const weight = factor[k * rows + i]! * inverse;
      const other = k * columns;
      for (let j = 0; j < columns; j++) {
        targets[at + j] = targets[at + j]! + weight * errors[other + j]!;
      }
    }
  }
}
