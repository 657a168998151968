import type { Matrix } from "./matrix.ts";

/** What the values of a matrix are multiplied by: that in row i and column j by rows[i] * columns[j]. */
export interface RowColumnFactors {
  /** One factor a row. */
  readonly rows: Float64Array;
  /** One factor a column. */
  readonly columns: Float64Array;
}

/**
 * A matrix as it is coded. Its value in row i and column j is `integers.data[i * columns + j]`, a whole
 * number, times `factors.rows[i] * factors.columns[j]`, rounded to float32 once.
 */
export interface CodedMatrix {
  /** The whole numbers, as the float32 values that they are decoded to. */
  readonly integers: Matrix;
  /** What they are multiplied by. */
  readonly factors: RowColumnFactors;
}
