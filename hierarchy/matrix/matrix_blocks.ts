import { readHalf } from "../../data/half_values.ts";
import { releaseMemory } from "../../data/release_memory.ts";
import { isHeld, makeValues, type SentMatrix } from "./held_matrix.ts";
import type { Matrix } from "./matrix.ts";

/** Some rows of a matrix in all columns, or some columns in all rows. */
export interface MatrixBlock {
  /** First row. */
  readonly row: number;
  /** First column. */
  readonly column: number;
  /** Number of rows. */
  readonly rows: number;
  /** Number of columns. */
  readonly columns: number;
  /** The values, row-major. */
  readonly data: Float32Array;
}

/** Where a block is. */
export type BlockPlace = Omit<MatrixBlock, "data">;

/** Values of a block, unless one row or column alone has more. */
export const BLOCK_VALUES = 2 ** 22;

/**
 * How a matrix is cut: by rows, or by columns where its transpose is what is stored. The same wherever
 * its values are.
 */
export function planBlocks(
  { rows, columns }: Pick<Matrix, "rows" | "columns">,
  transposed: boolean,
  blockValues: number = BLOCK_VALUES,
): BlockPlace[] {
  const places: BlockPlace[] = [];
  const [lines, width] = transposed ? [columns, rows] : [rows, columns];
  const most = Math.max(1, Math.floor(blockValues / Math.max(1, width)));
  for (let first = 0; first < lines; first += most) {
    const count = Math.min(most, lines - first);
    places.push(
      transposed
        ? { row: 0, column: first, rows, columns: count }
        : { row: first, column: 0, rows: count, columns },
    );
  }
  return places;
}

/**
 * The values of a matrix block by block, in order; those that are made for that are gone when the next
 * is asked for. A matrix whose values are in memory as they are is one block.
 */
export function* matrixBlocks(
  matrix: SentMatrix,
  blockValues: number = BLOCK_VALUES,
): Generator<MatrixBlock, void> {
  const { rows, columns } = matrix;
  if (rows * columns === 0) return;
  if (!isHeld(matrix)) {
    const { data } = matrix;
    yield { row: 0, column: 0, rows, columns, data };
    return;
  }
  for (const place of planBlocks(matrix, matrix.held.transposed, blockValues)) {
    const data = readBlock(matrix, matrix.held, place);
    yield { ...place, data };
    if (data.buffer !== (matrix.held.stored as Float32Array).buffer) releaseMemory(data);
  }
}

/**
 * The values of one block of a matrix, in memory of their own. Blocks of columns are given only of a
 * matrix whose transpose is stored.
 */
export function copyBlock(matrix: SentMatrix, place: BlockPlace): Float32Array {
  if (isHeld(matrix)) {
    const block = readBlock(matrix, matrix.held, place);
    const { stored } = matrix.held;
    return stored instanceof Float32Array && stored.buffer === block.buffer ? block.slice() : block;
  }
  const { columns, data } = matrix;
  return data.slice(place.row * columns, (place.row + place.rows) * columns);
}

/** The values of a block that {@linkcode planBlocks} gave, in memory of their own where they are made. */
function readBlock(
  { rows, columns }: Pick<Matrix, "rows" | "columns">,
  { stored, transposed, factors }: NonNullable<Matrix["held"]>,
  place: BlockPlace,
): Float32Array {
  const first = transposed ? place.column * rows : place.row * columns;
  const length = place.rows * place.columns;
  let values: Float32Array;
  if (stored instanceof Float32Array) values = stored.subarray(first, first + length);
  else readHalf(stored, first, values = new Float32Array(length));
  return makeValues(place, {
    stored: values,
    transposed,
    ...(factors && {
      factors: {
        rows: factors.rows.subarray(place.row, place.row + place.rows),
        columns: factors.columns.subarray(place.column, place.column + place.columns),
      },
    }),
  }, !(stored instanceof Float32Array));
}
