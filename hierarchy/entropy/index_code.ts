import type { Trellis } from "../quantize/trellis.ts";
import { forEachRow, type IndexMatrix, type Piece } from "./index_matrix.ts";
import { RansDecoder, RansEncoder } from "./rans.ts";
import { classOf, type ScaleField } from "./scale_field.ts";
import { CLASS_COUNT } from "./symbol_model.ts";
import { putSymbol, slotTable, symbolBits, type SymbolTable, takeSymbol } from "./symbol_table.ts";

/** Tables by quantizer and class. */
export type SymbolTables = readonly (readonly SymbolTable[])[];

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

/** A model's tables and their slot tables, built when a class is first met. */
export class DecodingTables {
  readonly #slots: (Uint32Array | undefined)[];

  /** `tables` by quantizer and class. */
  constructor(readonly tables: SymbolTables) {
    this.#slots = new Array(tables.length * CLASS_COUNT).fill(undefined);
  }

  /** Slot table of a quantizer and class. */
  slots(quantizer: number, index: number): Uint32Array {
    return this.#slots[quantizer * CLASS_COUNT + index] ??= slotTable(
      this.tables[quantizer]![index]!,
    );
  }
}

/**
 * Decodes one segment; `visit` is called with each row's indices and the state at its start, in
 * order. Returns whether the stream ended where its end should be.
 */
export function decodeSegment(
  trellis: Trellis,
  bytes: Uint8Array,
  segment: readonly Piece[],
  shapes: readonly { readonly columns: number; readonly field: ScaleField }[],
  tables: DecodingTables,
  visit: (matrix: number, row: number, indices: Int32Array, state: number) => void,
): boolean {
  const decoder = new RansDecoder(bytes);
  const { transitions } = trellis;
  for (const { matrix, firstRow, endRow } of segment) {
    const { columns, field } = shapes[matrix]!;
    const indices = new Int32Array(columns);
    let state = 0;
    for (let row = firstRow; row < endRow; row++) {
      const rowScale = field.rows[row]!, start = state;
      for (let j = 0; j < columns; j++) {
        const quantizer = state & 1, index = classOf(rowScale + field.columns[j]!);
        const table = tables.tables[quantizer]![index]!;
        const k = takeSymbol(decoder, table, tables.slots(quantizer, index));
        indices[j] = k;
        state = transitions[2 * state + (k & 1)]!;
      }
      visit(matrix, row, indices, start);
    }
  }
  return decoder.isAtEnd();
}

/** Ideal length of a matrix's indices, in bits. */
export function idealBits(trellis: Trellis, matrix: IndexMatrix, tables: SymbolTables): number {
  const { columns, indices, field } = matrix;
  let bits = 0;
  forEachRow(trellis, matrix, (row, start) => {
    let state = start;
    for (let j = 0, at = row * columns; j < columns; j++, at++) {
      const k = indices[at]!;
      bits += symbolBits(tables[state & 1]![classOf(field.rows[row]! + field.columns[j]!)]!, k);
      state = trellis.transitions[2 * state + (k & 1)]!;
    }
  });
  return bits;
}
