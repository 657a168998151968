import type { ErrorMetric } from "./error_metric.ts";
import type { WeightTensor } from "../../data/tensor.ts";

/**
 * The steps that a matrix' values were divided by, in eighths of an octave and up to a constant:
 * that of row i and column j is rows[i] + columns[j]. A level that codes quotients can expect them
 * to be large where steps are small.
 */
export interface RowColumnSteps {
  /** One value a row. */
  readonly rows: Int32Array;
  /** One value a column. */
  readonly columns: Int32Array;
}

/** A matrix that a level codes: row-major float32 values. */
export interface Matrix {
  /** Checkpoint name of the tensor, or a level's own name for its output. */
  readonly name: string;
  /** Number of rows. */
  readonly rows: number;
  /** Number of columns. */
  readonly columns: number;
  /** `rows * columns` values, row-major; made anew at each access where it is known how. */
  readonly data: Float32Array;
  /** How the values are made, where they are not in memory. */
  readonly held?: {
    /** Row-major values, of the transpose if `transposed`; in memory that threads share, if any. */
    readonly stored: Float32Array | NonNullable<WeightTensor["half"]>;
    /** Whether what is stored is `[columns, rows]`. */
    readonly transposed: boolean;
    /** What values are multiplied by, if by anything: that of row i and column j by rows[i] * columns[j]. */
    readonly factors?: { readonly rows: Float64Array; readonly columns: Float64Array };
  };
  /** What errors in it cost; where it is not known all errors cost the same. */
  readonly metric?: ErrorMetric;
  /** What its values were divided by, where steps differ between rows or columns. */
  readonly rowColumnSteps?: RowColumnSteps;
}

/** What a level sees, and its output: matrices in a fixed order. */
export type Matrices = readonly Matrix[];

/** What is known of a matrix of a {@linkcode Matrices} before its values are decoded. */
export type MatrixShape = Omit<Matrix, "data" | "held" | "metric">;
