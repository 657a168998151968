import type { Trellis } from "../scan/trellis.ts";
import { diagonalOf, type Size } from "../scan/diagonals.ts";
import { type IndexMatrix, indexReader } from "./index_matrix.ts";
import { forEachDiagonal, type Piece } from "../scan/pieces.ts";
import { RansEncoder } from "./rans.ts";
import { LONGEST_RUN, type RunDecoder } from "./run_decoder.ts";
import { classOf, type RowColumnScales } from "./row_column_scales.ts";
import { putSymbol, symbolBits, type SymbolTables } from "./symbol_table.ts";

/** Codes the pieces of one segment into one stream. */
export function encodeSegment(
  trellis: Trellis,
  segment: readonly Piece[],
  matrices: readonly IndexMatrix[],
  tables: SymbolTables,
): Uint8Array {
  const encoder = new RansEncoder();
  const { transitions } = trellis;
  for (const { matrix, first, end } of segment) {
    const { indices, scales } = matrices[matrix]!;
    const read = indexReader(indices);
    let state = 0;
    for (let number = first; number < end; number++) {
      const { row, column, length, position } = diagonalOf(matrices[matrix]!, number);
      const run = read(position, length);
      for (let t = 0; t < length; t++) {
        const k = run[t]!;
        const scale = scales.rows[row + t]! + scales.columns[column - t]!;
        putSymbol(encoder, tables[state & 1]![classOf(scale)]!, k);
        state = transitions[2 * state + (k & 1)]!;
      }
    }
  }
  return encoder.finish();
}

/** Decoded indices of one piece that follow each other; overwritten after the visit. */
export interface DecodedRun {
  /** The piece that they are of. */
  readonly piece: Piece;
  /** Number of indices of the piece before them. */
  readonly offset: number;
  /** State of the trellis before the first. */
  readonly state: number;
  /** The class of each. */
  readonly classes: Uint8Array;
  /** The indices. */
  readonly indices: Int32Array;
  /** What they stand for, in steps. */
  readonly levels: Float32Array;
}

/**
 * Decodes one segment; `visit` is called with each run, in order. Returns whether the stream ended
 * where its end should be.
 */
export function decodeSegment(
  decoder: RunDecoder,
  stream: Uint8Array,
  segment: readonly Piece[],
  matrices: readonly (Size & { readonly scales: RowColumnScales })[],
  visit: (run: DecodedRun) => void,
): boolean {
  decoder.start(stream);
  for (const piece of segment) decodePiece(decoder, piece, matrices[piece.matrix]!, visit);
  return decoder.isAtEnd();
}

function decodePiece(
  decoder: RunDecoder,
  piece: Piece,
  matrix: Size & { readonly scales: RowColumnScales },
  visit: (run: DecodedRun) => void,
): void {
  const { classes, indices, levels } = decoder;
  let state = 0, offset = 0, count = 0;
  const decodeRun = () => {
    const after = decoder.decode(count, state);
    visit({
      piece,
      offset,
      state,
      classes: classes.subarray(0, count),
      indices: indices.subarray(0, count),
      levels: levels.subarray(0, count),
    });
    offset += count;
    [state, count] = [after, 0];
  };
  decoder.setScales(matrix.scales);
  for (let number = piece.first; number < piece.end; number++) {
    const { row, column, length } = diagonalOf(matrix, number);
    for (let t = 0; t < length;) {
      const part = Math.min(length - t, LONGEST_RUN - count);
      decoder.classify({ row: row + t, column: column - t, length: part }, count);
      t += part;
      count += part;
      if (count === LONGEST_RUN) decodeRun();
    }
  }
  if (count > 0) decodeRun();
}

/** Ideal length of a matrix's indices, in bits. */
export function idealBits(trellis: Trellis, matrix: IndexMatrix, tables: SymbolTables): number {
  const { indices, scales } = matrix;
  const read = indexReader(indices);
  let bits = 0;
  forEachDiagonal(matrix, ({ row, column, length, position }, start) => {
    const run = read(position, length);
    let state = start;
    for (let t = 0; t < length; t++) {
      const k = run[t]!;
      const scale = scales.rows[row + t]! + scales.columns[column - t]!;
      bits += symbolBits(tables[state & 1]![classOf(scale)]!, k);
      state = trellis.transitions[2 * state + (k & 1)]!;
    }
    return state;
  });
  return bits;
}
