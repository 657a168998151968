import { PIECE_LENGTH, SEGMENT_LENGTH } from "../format/constants.ts";
import { type Diagonal, diagonalCount, diagonalOf, type Size, valuesBefore } from "./diagonals.ts";

/** Anti-diagonals of a matrix from the first to before the end: one run of the trellis. */
export interface DiagonalRange {
  /** Number of the first anti-diagonal. */
  readonly first: number;
  /** Number of the one after the last. */
  readonly end: number;
}

/** Cuts a matrix into runs of the trellis, each of which starts in state 0. */
export function planPieces(size: Size): DiagonalRange[] {
  const pieces: DiagonalRange[] = [];
  const count = diagonalCount(size);
  for (let first = 0, end = 1, start = 0; first < count; end++) {
    const stop = valuesBefore(size, end);
    if (end < count && stop - start < PIECE_LENGTH) continue;
    pieces.push({ first, end });
    [first, start] = [end, stop];
  }
  return pieces;
}

/** A piece of matrix number `matrix`. */
export interface Piece extends DiagonalRange {
  /** Which matrix. */
  readonly matrix: number;
}

/**
 * Groups the pieces of all matrices, in order, into segments of at least 2^18 indices; each segment is
 * a code stream of its own.
 */
export function planSegments(sizes: readonly Size[]): Piece[][] {
  const segments: Piece[][] = [];
  let segment: Piece[] = [], length = 0;
  sizes.forEach((size, matrix) => {
    for (const piece of planPieces(size)) {
      segment.push({ matrix, ...piece });
      length += pieceLength(size, piece);
      if (length >= SEGMENT_LENGTH) {
        segments.push(segment);
        [segment, length] = [[], 0];
      }
    }
  });
  if (segment.length > 0) segments.push(segment);
  return segments;
}

/** Number of values of a piece. */
export function pieceLength(size: Size, { first, end }: DiagonalRange): number {
  return valuesBefore(size, end) - valuesBefore(size, first);
}

/**
 * Calls `visit` with each anti-diagonal and the trellis state at its start; it returns the state
 * after it.
 */
export function forEachDiagonal(
  size: Size,
  visit: (diagonal: Diagonal, state: number) => number,
): void {
  for (const { first, end } of planPieces(size)) {
    let state = 0;
    for (let number = first; number < end; number++) {
      state = visit(diagonalOf(size, number), state);
    }
  }
}
