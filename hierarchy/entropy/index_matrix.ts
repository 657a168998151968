import type { Size } from "../scan/diagonals.ts";
import type { RowColumnScales } from "./row_column_scales.ts";

/** Indices in as many bits as the largest needs. */
export type Indices = Int8Array | Int16Array | Int32Array;

/** The quantization indices of a matrix, with the first layer of their entropy model. */
export interface IndexMatrix extends Size {
  /** Indices, anti-diagonal by anti-diagonal. */
  readonly indices: Indices;
  /** Log-scales of the indices. */
  readonly scales: RowColumnScales;
}
