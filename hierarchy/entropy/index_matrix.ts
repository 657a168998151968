import type { Size } from "../scan/diagonals.ts";
import type { RowColumnScales } from "./row_column_scales.ts";

/** The quantization indices of a matrix, with the first layer of their entropy model. */
export interface IndexMatrix extends Size {
  /** Indices, anti-diagonal by anti-diagonal. */
  readonly indices: Int32Array;
  /** Log-scales of the indices. */
  readonly scales: RowColumnScales;
}
