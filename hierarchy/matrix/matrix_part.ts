/** Some rows and columns of a matrix. */
export interface MatrixPart {
  /** Numbers of the rows, ascending; all if omitted. */
  readonly rows?: Int32Array;
  /** Numbers of the columns, ascending; all if omitted. */
  readonly columns?: Int32Array;
}

/** The parts of matrices that are to be decoded, by the number of the matrix. */
export type WantedParts = ReadonlyMap<number, MatrixPart>;
