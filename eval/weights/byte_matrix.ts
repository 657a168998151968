import type { CodedMatrix } from "../../hierarchy/matrix/coded_matrix.ts";

/**
 * A matrix of whole numbers as bytes: a value is the row's factor times the column's times the sum of
 * the planes' bytes times their units, and what is left is in the sparse part.
 */
export interface ByteMatrix {
  readonly rows: number;
  readonly columns: number;
  /** One plane, or two where numbers are large. */
  readonly planes: readonly { readonly bytes: Int8Array; readonly unit: number }[];
  readonly rowFactors: Float32Array;
  readonly columnFactors: Float32Array;
  /** By rows: where each row's entries start (and the last ends), their columns, and their numbers. */
  readonly sparse?: {
    readonly starts: Uint32Array;
    readonly places: Uint32Array;
    readonly values: Float32Array;
  };
}

/** Bytes of an entry of the sparse part. */
const ENTRY_BYTES = 8;
/** Numbers above are not exact in float32. */
const LARGEST = 2 ** 24;
/** log2 of the factors that are surely apart from where float32 ends. */
const FACTOR_BITS = 100;

/**
 * Packs a matrix, or its transpose, exactly. Undefined where it would take more than half as many bytes
 * as float32, or its numbers or factors leave what float32 holds.
 */
export function packBytes(
  { integers, factors }: CodedMatrix,
  swaps: boolean,
): ByteMatrix | undefined {
  const { rows: height, columns: width, data } = integers;
  const [rows, columns] = swaps ? [width, height] : [height, width];
  const own = swaps ? { rows: factors.columns, columns: factors.rows } : factors;
  const balanced = balance(own.rows, own.columns);
  if (balanced === undefined || beyond(data, -LARGEST, LARGEST) > 0) return undefined;
  const [rowStep, columnStep] = swaps ? [1, width] : [width, 1];
  const bytes = Math.max(1, rows * columns);
  const isWide = ENTRY_BYTES * beyond(data, -128, 127) > bytes / 8;
  if (isWide && ENTRY_BYTES * beyond(data, -32_896, 32_639) > bytes / 8) return undefined;
  const low = new Int8Array(rows * columns);
  const high = isWide ? new Int8Array(rows * columns) : undefined;
  const starts = new Uint32Array(rows + 1);
  const places: number[] = [], values: number[] = [];
  for (let row = 0, at = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++, at++) {
      const value = data[row * rowStep + column * columnStep]!;
      if (high === undefined && value >= -128 && value <= 127) {
        low[at] = value;
        continue;
      }
      let rest = value;
      if (high !== undefined) {
        high[at] = clamp(Math.round(value / 256));
        rest -= 256 * high[at]!;
      }
      low[at] = clamp(rest);
      rest -= low[at]!;
      if (rest === 0) continue;
      places.push(column);
      values.push(rest);
    }
    starts[row + 1] = places.length;
  }
  return {
    rows,
    columns,
    planes: [{ bytes: low, unit: 1 }, ...(high === undefined ? [] : [{ bytes: high, unit: 256 }])],
    ...balanced,
    ...(places.length > 0 && {
      sparse: { starts, places: Uint32Array.from(places), values: Float32Array.from(values) },
    }),
  };
}

/** Writes the values from number `first` on, row by row, to `target`, as many as it has. */
export function readBytes(matrix: ByteMatrix, first: number, target: Float32Array): void {
  const { columns, planes, rowFactors, columnFactors, sparse } = matrix;
  for (let at = 0; at < target.length;) {
    const row = Math.floor((first + at) / columns);
    const start = first + at - row * columns;
    const end = Math.min(columns, start + target.length - at);
    const part = target.subarray(at, at + end - start);
    part.fill(0);
    for (const { bytes, unit } of planes) {
      const place = row * columns + start;
      for (let i = 0; i < part.length; i++) part[i] = part[i]! + unit * bytes[place + i]!;
    }
    if (sparse !== undefined) {
      for (let entry = sparse.starts[row]!; entry < sparse.starts[row + 1]!; entry++) {
        const column = sparse.places[entry]!;
        if (column >= start && column < end) part[column - start]! += sparse.values[entry]!;
      }
    }
    for (let i = 0; i < part.length; i++) {
      part[i] = part[i]! * rowFactors[row]! * columnFactors[start + i]!;
    }
    at += end - start;
  }
}

/** How many values are less or more than allowed. */
function beyond(data: Float32Array, least: number, most: number): number {
  let count = 0;
  for (let i = 0; i < data.length; i++) if (data[i]! < least || data[i]! > most) count++;
  return count;
}

function clamp(value: number): number {
  return Math.max(-128, Math.min(127, value));
}

/** The factors as float32, with a power of two moved between them so that columns are about 1. */
function balance(
  rows: Float64Array,
  columns: Float64Array,
): Pick<ByteMatrix, "rowFactors" | "columnFactors"> | undefined {
  const logs = Array.from(columns, (value) => Math.log2(Math.abs(value)))
    .filter(Number.isFinite);
  const mean = logs.reduce((sum, value) => sum + value, 0) / Math.max(1, logs.length);
  const unit = 2 ** Math.round(mean);
  const rowFactors = rows.map((value) => value * unit);
  const columnFactors = columns.map((value) => value / unit);
  const isSafe = (value: number) =>
    value === 0 || Math.abs(Math.log2(Math.abs(value))) < FACTOR_BITS;
  if (!rowFactors.every(isSafe) || !columnFactors.every(isSafe)) return undefined;
  return {
    rowFactors: Float32Array.from(rowFactors),
    columnFactors: Float32Array.from(columnFactors),
  };
}
