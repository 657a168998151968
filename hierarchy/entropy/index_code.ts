import type { Trellis } from "../quantize/trellis.ts";
import { type Diagonal, diagonalOf, type Size } from "../quantize/diagonals.ts";
import { forEachDiagonal, type IndexMatrix, type Piece } from "./index_matrix.ts";
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
  for (const { matrix, first, end } of segment) {
    const { indices, field } = matrices[matrix]!;
    let state = 0;
    for (let number = first; number < end; number++) {
      const { row, column, length, position } = diagonalOf(matrices[matrix]!, number);
      for (let t = 0; t < length; t++) {
        const k = indices[position + t]!;
        const scale = field.rows[row + t]! + field.columns[column - t]!;
        putSymbol(encoder, tables[state & 1]![classOf(scale)]!, k);
        state = transitions[2 * state + (k & 1)]!;
      }
    }
  }
  return encoder.finish();
}

/** Decoded indices of one matrix that follow each other; overwritten after the visit. */
export interface DecodedRun {
  /** Number of the matrix. */
  readonly matrix: number;
  /** State of the trellis before the first. */
  readonly state: number;
  /** Where in the row-major matrix each one is. */
  readonly places: Uint32Array;
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
  matrices: readonly (Size & { readonly field: ScaleField })[],
  visit: (run: DecodedRun) => void,
): boolean {
  const { classes, indices, levels } = decoder;
  const places = new Uint32Array(LONGEST_RUN);
  decoder.start(stream);
  for (const { matrix, first, end } of segment) {
    let state = 0, count = 0;
    const decodeRun = () => {
      const after = decoder.decode(count, state);
      visit({
        matrix,
        state,
        places: places.subarray(0, count),
        classes: classes.subarray(0, count),
        indices: indices.subarray(0, count),
        levels: levels.subarray(0, count),
      });
      [state, count] = [after, 0];
    };
    const { field } = matrices[matrix]!;
    for (let number = first; number < end; number++) {
      const { row, column, length } = diagonalOf(matrices[matrix]!, number);
      for (let t = 0; t < length;) {
        const part = {
          row: row + t,
          column: column - t,
          length: Math.min(length - t, LONGEST_RUN - count),
        };
        writeClasses(field, part, classes.subarray(count));
        writePlaces(field.columns.length, part, places.subarray(count));
        t += part.length;
        count += part.length;
        if (count === LONGEST_RUN) decodeRun();
      }
    }
    if (count > 0) decodeRun();
  }
  return decoder.isAtEnd();
}

/** Writes where the values of a part of an anti-diagonal stand in a row-major matrix. */
function writePlaces(
  width: number,
  { row, column, length }: Pick<Diagonal, "row" | "column" | "length">,
  places: Uint32Array,
): void {
  for (let t = 0, place = row * width + column; t < length; t++, place += width - 1) {
    places[t] = place;
  }
}

/** Ideal length of a matrix's indices, in bits. */
export function idealBits(trellis: Trellis, matrix: IndexMatrix, tables: SymbolTables): number {
  const { indices, field } = matrix;
  let bits = 0;
  forEachDiagonal(matrix, ({ row, column, length, position }, start) => {
    let state = start;
    for (let t = 0; t < length; t++) {
      const k = indices[position + t]!;
      const scale = field.rows[row + t]! + field.columns[column - t]!;
      bits += symbolBits(tables[state & 1]![classOf(scale)]!, k);
      state = trellis.transitions[2 * state + (k & 1)]!;
    }
    return state;
  });
  return bits;
}
