import type { CodedMatrix } from "../../hierarchy/matrix/coded_matrix.ts";

/** Rows or columns of a matrix that are kept as floats, because some of their integers need it. */
export interface WideLines {
  /** Their numbers, ascending. */
  readonly places: Int32Array;
  /** Their values, one line after the other. */
  readonly values: Float32Array;
}

/**
 * A matrix whose integers fit a byte, save those of a few rows and columns. The value in row i and
 * column j is `(bytes[i * columns + j] - BYTE_ZERO) * rowFactors[i] * columnFactors[j]`, and in wide
 * lines, where the bytes stand for 0, what those say.
 */
export interface ByteMatrix {
  /** Number of rows. */
  readonly rows: number;
  /** Number of columns. */
  readonly columns: number;
  /** `[rows, columns]`. */
  readonly bytes: Uint8Array;
  /** `[rows]`. */
  readonly rowFactors: Float32Array;
  /** `[columns]`. */
  readonly columnFactors: Float32Array;
  /** Whole rows, `[places, columns]`. */
  readonly wideRows?: WideLines;
  /** Columns but for what wide rows have of them, which is 0 here: `[places, rows]`. */
  readonly wideColumns?: WideLines;
}

/** The byte that stands for 0. */
export const BYTE_ZERO = 128;

/** Factors are kept where float32 has all its digits, with room for what they are multiplied by. */
const LEAST_FACTOR = 2 ** -60, MOST_FACTOR = 2 ** 60;

/**
 * A coded matrix with its integers in bytes: to the rounding of its factors to float32, the decoded
 * values. Undefined where floats would take no more room, or factors are beyond what is safe.
 */
export function byteMatrix({ integers, factors }: CodedMatrix): ByteMatrix | undefined {
  const { rows, columns, data } = integers;
  const balance = 2 ** Math.round(meanLog2(factors.columns));
  const rowFactors = Float32Array.from(factors.rows, (factor) => factor * balance);
  const columnFactors = Float32Array.from(factors.columns, (factor) => factor / balance);
  if (!rowFactors.every(isSafe) || !columnFactors.every(isSafe)) return undefined;
  const wide = findWide(data, rows, columns);
  const wideValues = wide.rows.length * columns + wide.columns.length * rows;
  if (4 * wideValues >= 3 * rows * columns) return undefined;

  const bytes = new Uint8Array(rows * columns);
  for (let at = 0; at < bytes.length; at++) bytes[at] = data[at]! + BYTE_ZERO;
  const value = (row: number, column: number) =>
    data[row * columns + column]! * (factors.rows[row]! * factors.columns[column]!);
  const rowValues = new Float32Array(wide.rows.length * columns);
  const columnValues = new Float32Array(wide.columns.length * rows);
  wide.rows.forEach((row, place) => {
    for (let j = 0; j < columns; j++) rowValues[place * columns + j] = value(row, j);
    bytes.fill(BYTE_ZERO, row * columns, (row + 1) * columns);
  });
  const isWideRow = new Uint8Array(rows);
  for (const row of wide.rows) isWideRow[row] = 1;
  wide.columns.forEach((column, place) => {
    for (let i = 0; i < rows; i++) {
      if (!isWideRow[i]) columnValues[place * rows + i] = value(i, column);
      bytes[i * columns + column] = BYTE_ZERO;
    }
  });
  return {
    rows,
    columns,
    bytes,
    rowFactors,
    columnFactors,
    ...(wide.rows.length > 0 && { wideRows: { places: wide.rows, values: rowValues } }),
    ...(wide.columns.length > 0 && { wideColumns: { places: wide.columns, values: columnValues } }),
  };
}

function meanLog2(values: Float64Array): number {
  return values.reduce((sum, value) => sum + Math.log2(value), 0) / values.length;
}

function isSafe(factor: number): boolean {
  return factor >= LEAST_FACTOR && factor <= MOST_FACTOR;
}

/** Few rows and columns that have all integers beyond a byte. */
function findWide(
  data: Float32Array,
  rows: number,
  columns: number,
): { rows: Int32Array; columns: Int32Array } {
  const large: number[] = [];
  const byColumn = new Uint32Array(columns);
  for (let at = 0; at < data.length; at++) {
    if (data[at]! >= -BYTE_ZERO && data[at]! < 256 - BYTE_ZERO) continue;
    large.push(at);
    byColumn[at % columns]!++;
  }
  // A column instead of the rows that its large integers would make wide, if that is less.
  const wideColumns = Int32Array.from(byColumn.keys())
    .filter((column) => byColumn[column]! * columns > rows);
  const covered = new Set(wideColumns);
  const wideRows = new Set<number>();
  for (const at of large) {
    if (!covered.has(at % columns)) wideRows.add(Math.floor(at / columns));
  }
  return { rows: Int32Array.from(wideRows).sort(), columns: wideColumns };
}
