import type { Matrix } from "../levels/level.ts";

/** A matrix while its rows are quantized one after another with error feedback. */
export interface FeedbackState {
  /** Number of rows. */
  readonly rows: number;
  /** Number of columns. */
  readonly columns: number;
  /** What each row is quantized at: its values and its share of the errors so far. */
  readonly targets: Float32Array;
  /** Errors of the rows that are quantized. */
  readonly errors: Float32Array;
  /** U of the error metric, `rows` × `rows`, upper triangular. */
  readonly factor: Float64Array;
  /** 1 / U_ii. */
  readonly inverseDiagonal: Float64Array;
}

/** The state before any row is quantized. */
export function startFeedback(matrix: Matrix, factor: Float64Array): FeedbackState {
  const { rows, columns, data } = matrix;
  const inverseDiagonal = Float64Array.from({ length: rows }, (_, i) => 1 / factor[i * rows + i]!);
  const targets = Float32Array.from(data), errors = new Float32Array(data.length);
  return { rows, columns, targets, errors, factor, inverseDiagonal };
}

/** Rows from the first to before the second number. */
export type RowRange = readonly [start: number, end: number];

/**
 * Adds to the targets of rows `to`, all after rows `from`, what the errors of rows `from` leave to
 * them.
 */
export type AddErrors = (state: FeedbackState, from: RowRange, to: RowRange) => void;

/** What row i gets of the error of row k: U_ki / U_ii. */
export function feedbackWeight(
  { factor, inverseDiagonal, rows }: FeedbackState,
  k: number,
  i: number,
): number {
  return Math.fround(factor[k * rows + i]! * inverseDiagonal[i]!);
}

/**
 * {@linkcode AddErrors} in plain TypeScript, for each target in the order of `from` and with each
 * operation rounded to float32: the reference that the WebAssembly kernel equals bit for bit.
 */
export const addErrors: AddErrors = (state, [fromStart, fromEnd], [toStart, toEnd]) => {
  const { columns, targets, errors } = state;
  for (let i = toStart; i < toEnd; i++) {
    const target = targets.subarray(i * columns, (i + 1) * columns);
    for (let k = fromStart; k < fromEnd; k++) {
      const weight = feedbackWeight(state, k, i);
      const offset = k * columns;
      for (let j = 0; j < columns; j++) {
        target[j] = target[j]! + Math.fround(weight * errors[offset + j]!);
      }
    }
  }
};
