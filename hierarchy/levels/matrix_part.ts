import type { DiagonalRange } from "../entropy/index_matrix.ts";
import type { Size } from "../quantize/diagonals.ts";
import type { Matrix, MatrixShape } from "./level.ts";

/** Some rows and columns of a matrix. */
export interface MatrixPart {
  /** Numbers of the rows, ascending; all where absent. */
  readonly rows?: Int32Array;
  /** Numbers of the columns, ascending; all where absent. */
  readonly columns?: Int32Array;
}

/** A part of a matrix while it is filled by values of the whole. */
export interface PartReader {
  /** The part, as a matrix of its own. */
  readonly matrix: Matrix;
  /** Takes over what the part has of values whose row-major places in the whole are given. */
  put(places: Uint32Array, values: Float32Array): void;
}

/** Room for a part of a matrix. */
export function createPartReader(
  { name, rows, columns }: MatrixShape,
  part: MatrixPart,
): PartReader {
  const width = part.columns?.length ?? columns;
  const height = part.rows?.length ?? rows;
  const data = new Float32Array(height * width);
  const matrix = { name, rows: height, columns: width, data };
  if (part.rows === undefined && part.columns === undefined) {
    return {
      matrix,
      put(places, values) {
        for (let i = 0; i < places.length; i++) data[places[i]!] = values[i]!;
      },
    };
  }
  const rowStarts = placesIn(part.rows, rows, width),
    columnPlaces = placesIn(part.columns, columns);
  return {
    matrix,
    put(places, values) {
      for (let i = 0; i < places.length; i++) {
        const row = Math.floor(places[i]! / columns);
        const start = rowStarts[row]!, column = columnPlaces[places[i]! - row * columns]!;
        if (start >= 0 && column >= 0) data[start + column] = values[i]!;
      }
    },
  };
}

/** Where each number of a whole is among some of them, times `stride`; -1 where it is not. */
function placesIn(some: Int32Array | undefined, count: number, stride = 1): Int32Array {
  if (some === undefined) return Int32Array.from({ length: count }, (_, number) => number * stride);
  const places = new Int32Array(count).fill(-1);
  some.forEach((number, place) => places[number] = place * stride);
  return places;
}

/** Whether a part has any value of a range of anti-diagonals. */
export function hasDiagonals(
  part: MatrixPart,
  { rows, columns }: Size,
  { first, end }: DiagonalRange,
): boolean {
  const hasAny = (some: Int32Array | undefined, count: number, from: number, to: number) =>
    some === undefined
      ? Math.max(0, from) < Math.min(count, to)
      : (some[lowerBound(some, from)] ?? Infinity) < to;
  if (part.columns === undefined) {
    return part.rows === undefined ||
      part.rows.some((row) => hasAny(undefined, columns, first - row, end - row));
  }
  return part.columns.some((column) => hasAny(part.rows, rows, first - column, end - column));
}

/** Index of the first number that is not less than `value`. */
function lowerBound(ascending: Int32Array, value: number): number {
  let low = 0, high = ascending.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ascending[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
