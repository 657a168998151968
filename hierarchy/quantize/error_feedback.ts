import type { ErrorMetric, Matrix } from "../levels/level.ts";
import { packedIndex } from "../metric/packed_upper.ts";

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
  /** What each row makes up for, as in the error metric. */
  readonly feedback: Float32Array;
  /** What each row was divided by. */
  readonly rowSteps: Float64Array;
}

/** The state before any row is quantized. */
export function startFeedback(
  { rows, columns, data }: Matrix,
  { feedback, rowSteps = new Float64Array(rows).fill(1) }: ErrorMetric,
): FeedbackState {
  const targets = Float32Array.from(data), errors = new Float32Array(data.length);
  return { rows, columns, targets, errors, feedback, rowSteps };
}

/** Rows from the first to before the second number. */
export type RowRange = readonly [start: number, end: number];

/**
 * Adds to the targets of rows `to`, all after rows `from`, what the errors of rows `from` leave to
 * them.
 */
export type AddErrors = (state: FeedbackState, from: RowRange, to: RowRange) => void;

/** What row i gets of the error of a row k before it. */
export function feedbackWeight(
  { feedback, rowSteps, rows }: FeedbackState,
  k: number,
  i: number,
): number {
  return Math.fround(feedback[packedIndex(rows, k, i)]! * rowSteps[k]! / rowSteps[i]!);
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
