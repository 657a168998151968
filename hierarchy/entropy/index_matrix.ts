import type { ScaleField } from "./scale_field.ts";

/** The quantization indices of a matrix, with the first layer of their entropy model. */
export interface IndexMatrix {
  /** Number of rows. */
  readonly rows: number;
  /** Number of columns. */
  readonly columns: number;
  /** Row-major indices. */
  readonly indices: Int32Array;
  /** Log-scales of the indices. */
  readonly field: ScaleField;
}

/** Number of indices after which a trellis starts anew, so that parts can be decoded in parallel. */
const PIECE_LENGTH = 1 << 19;

/** A trellis starts in state 0 at every row whose number is a multiple of this. */
export function rowsPerPiece(columns: number): number {
  return Math.max(1, Math.floor(PIECE_LENGTH / Math.max(1, columns)));
}

/** Rows `firstRow` to `endRow` of matrix number `matrix`: one run of the trellis. */
export interface Piece {
  /** Which matrix. */
  readonly matrix: number;
  /** First row. */
  readonly firstRow: number;
  /** Row after the last. */
  readonly endRow: number;
}

/**
 * Groups the pieces of all matrices, in order, into segments of 2^18 to 2^20 indices; each segment is
 * a code stream of its own.
 */
export function planSegments(
  shapes: readonly { readonly rows: number; readonly columns: number }[],
): Piece[][] {
  const segments: Piece[][] = [];
  let segment: Piece[] = [], length = 0;
  shapes.forEach(({ rows, columns }, matrix) => {
    const step = rowsPerPiece(columns);
    for (let firstRow = 0; firstRow < rows; firstRow += step) {
      const endRow = Math.min(rows, firstRow + step);
      segment.push({ matrix, firstRow, endRow });
      length += (endRow - firstRow) * columns;
      if (length >= PIECE_LENGTH / 2) {
        segments.push(segment);
        [segment, length] = [[], 0];
      }
    }
  });
  if (segment.length > 0) segments.push(segment);
  return segments;
}

/**
 * Calls `visit` with each row's number and the trellis state at its start; it returns the state after
 * the row.
 */
export function forEachRow(
  { rows, columns }: Pick<IndexMatrix, "rows" | "columns">,
  visit: (row: number, state: number) => number,
): void {
  const step = rowsPerPiece(columns);
  let state = 0;
  for (let row = 0; row < rows; row++) state = visit(row, row % step === 0 ? 0 : state);
}
