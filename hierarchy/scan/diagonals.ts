/** Rows and columns of a matrix. */
export interface Size {
  /** Number of rows. */
  readonly rows: number;
  /** Number of columns. */
  readonly columns: number;
}

/**
 * An anti-diagonal of a matrix, from its top: the values in row `row + t` and column `column - t`, for
 * t from 0 to before `length`.
 *
 * Matrices are quantized and coded anti-diagonal by anti-diagonal. Error feedback makes up for the
 * errors in a value by values below it and to its right, so no value depends on another of its
 * anti-diagonal: all of them can be searched as one path.
 */
export interface Diagonal {
  /** Sum of the row and the column of each of its values. */
  readonly number: number;
  /** Row of the first value. */
  readonly row: number;
  /** Column of the first value. */
  readonly column: number;
  /** Number of values. */
  readonly length: number;
  /** Number of values on the anti-diagonals before this one. */
  readonly position: number;
}

/** Number of anti-diagonals. */
export function diagonalCount({ rows, columns }: Size): number {
  return Math.min(rows, columns) === 0 ? 0 : rows + columns - 1;
}

/** The anti-diagonal of a number below {@linkcode diagonalCount}. */
export function diagonalOf(size: Size, number: number): Diagonal {
  const row = Math.max(0, number - size.columns + 1);
  const length = Math.min(size.rows - 1, number) - row + 1;
  return { number, row, column: number - row, length, position: valuesBefore(size, number) };
}

/** Number of values on the anti-diagonals before that of a number. */
export function valuesBefore({ rows, columns }: Size, number: number): number {
  const short = Math.min(rows, columns), long = Math.max(rows, columns);
  const rest = rows + columns - 1 - number;
  if (rest < short) return rows * columns - rest * (rest + 1) / 2;
  if (number <= short) return number * (number + 1) / 2;
  return short * (short + 1) / 2 + (Math.min(number, long) - short) * short;
}
