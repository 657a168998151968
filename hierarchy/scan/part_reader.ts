import { firstWhere } from "../matrix/first_where.ts";
import type { MatrixPart } from "../matrix/matrix_part.ts";
import type { DiagonalRange } from "./pieces.ts";
import type { Size } from "./diagonals.ts";
import { RUNS, writeSideBySide } from "../../data/side_by_side.ts";
import { type Band, DiagonalBands } from "./diagonal_bands.ts";
import type { Matrix, MatrixShape } from "../matrix/matrix.ts";

/** A part of a matrix while it is filled by values of the whole. */
export interface PartReader {
  /** The part, as a matrix of its own. */
  readonly matrix: Matrix;
  /** Takes over what the part has of the values of a range that follow its first `offset` ones. */
  put(range: DiagonalRange, offset: number, values: Float32Array): void;
}

/** Room for a part of a matrix whose values come anti-diagonal by anti-diagonal. */
export function createPartReader(
  { name, rows, columns }: MatrixShape,
  part: MatrixPart,
): PartReader {
  const width = part.columns?.length ?? columns;
  const height = part.rows?.length ?? rows;
  const data = new Float32Array(height * width);
  const isWhole = part.rows === undefined && part.columns === undefined;
  const size = { rows, columns };
  const bands = new DiagonalBands(
    size,
    isWhole ? wholeWriter(size, data) : partWriter(
      size,
      placesIn(part.rows, rows, width),
      placesIn(part.columns, columns),
      data,
    ),
  );
  return {
    matrix: { name, rows: height, columns: width, data },
    put: (range, offset, values) => bands.put(range, offset, values),
  };
}

/** Writes the rows of bands to a row-major matrix. */
function wholeWriter({ rows, columns }: Size, data: Float32Array): (band: Band) => void {
  return (band) => {
    const top = Math.max(0, band.first - columns + 1), bottom = Math.min(rows, band.end);
    // Rows that have a value on all eight anti-diagonals.
    const from = Math.max(top, band.end - columns), to = Math.min(rows, band.first + 1);
    if (band.end - band.first < RUNS || from >= to) {
      return writeRows(band, top, bottom, columns, data);
    }
    writeRows(band, top, from, columns, data);
    const starts = band.origins.map((origin) => origin + from);
    const at = from * columns + band.first - from;
    writeSideBySide(band.values, starts, to - from, data, at, columns - 1);
    writeRows(band, to, bottom, columns, data);
  };
}

function writeRows(
  { first, end, values, origins }: Band,
  top: number,
  bottom: number,
  columns: number,
  data: Float32Array,
): void {
  for (let row = top; row < bottom; row++) {
    const stop = Math.min(end, row + columns);
    for (let number = Math.max(first, row); number < stop; number++) {
      data[row * columns + number - row] = values[origins[number - first]! + row]!;
    }
  }
}

/** Writes what a part has of bands; rows' starts and columns' places in it are -1 where it has none. */
function partWriter(
  { rows, columns }: Size,
  rowStarts: Int32Array,
  columnPlaces: Int32Array,
  data: Float32Array,
): (band: Band) => void {
  return ({ first, end, values, origins }) => {
    const bottom = Math.min(rows, end);
    for (let row = Math.max(0, first - columns + 1); row < bottom; row++) {
      const start = rowStarts[row]!;
      if (start < 0) continue;
      const stop = Math.min(end, row + columns);
      for (let number = Math.max(first, row); number < stop; number++) {
        const column = columnPlaces[number - row]!;
        if (column >= 0) data[start + column] = values[origins[number - first]! + row]!;
      }
    }
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
      : (some[firstWhere(some.length, (i) => some[i]! >= from)] ?? Infinity) < to;
  if (part.columns === undefined) {
    return part.rows === undefined ||
      part.rows.some((row) => hasAny(undefined, columns, first - row, end - row));
  }
  return part.columns.some((column) => hasAny(part.rows, rows, first - column, end - column));
}
