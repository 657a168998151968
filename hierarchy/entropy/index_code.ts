import type { Trellis } from "../quantize/trellis.ts";
import { forEachRow, type IndexMatrix, type Piece } from "./index_matrix.ts";
import { RansEncoder } from "./rans.ts";
import { LONGEST_RUN, type RunDecoder } from "./run_decoder.ts";
import { classOf, type ScaleField, writeClasses } from "./scale_field.ts";
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
  for (const { matrix, firstRow, endRow } of segment) {
    const { columns, indices, field } = matrices[matrix]!;
    let state = 0;
    for (let row = firstRow; row < endRow; row++) {
      const rowScale = field.rows[row]!;
      for (let j = 0, at = row * columns; j < columns; j++, at++) {
        const k = indices[at]!;
        putSymbol(encoder, tables[state & 1]![classOf(rowScale + field.columns[j]!)]!, k);
        state = transitions[2 * state + (k & 1)]!;
      }
    }
  }
  return encoder.finish();
}

/** Decoded indices of one matrix that follow each other. */
export interface DecodedRun {
  /** Number of the matrix. */
  readonly matrix: number;
  /** Where in the matrix they start, row-major. */
  readonly at: number;
  /** State of the trellis before the first. */
  readonly state: number;
  /** The indices; overwritten with the next run's after the visit. */
  readonly indices: Int32Array;
  /** What they stand for, in steps; overwritten too. */
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
  shapes: readonly { readonly columns: number; readonly field: ScaleField }[],
  visit: (run: DecodedRun) => void,
): boolean {
  decoder.start(stream);
  for (const { matrix, firstRow, endRow } of segment) {
    const { columns, field } = shapes[matrix]!;
    const end = endRow * columns;
    let state = 0;
    for (let at = firstRow * columns; at < end; at += LONGEST_RUN) {
      const count = Math.min(LONGEST_RUN, end - at);
      writeClasses(field, at, count, decoder.classes);
      const after = decoder.decode(count, state);
      const indices = decoder.indices.subarray(0, count);
      visit({ matrix, at, state, indices, levels: decoder.levels.subarray(0, count) });
      state = after;
    }
  }
  return decoder.isAtEnd();
}

/** Ideal length of a matrix's indices, in bits. */
export function idealBits(trellis: Trellis, matrix: IndexMatrix, tables: SymbolTables): number {
  const { columns, indices, field } = matrix;
  let bits = 0;
  forEachRow(matrix, (row, start) => {
    let state = start;
    for (let j = 0, at = row * columns; j < columns; j++, at++) {
      const k = indices[at]!;
      bits += symbolBits(tables[state & 1]![classOf(field.rows[row]! + field.columns[j]!)]!, k);
      state = trellis.transitions[2 * state + (k & 1)]!;
    }
    return state;
  });
  return bits;
}
