import type { Diagonal } from "../scan/diagonals.ts";
import { reconstruct, type Trellis } from "../scan/trellis.ts";
import { RansDecoder } from "./rans.ts";
import { type RowColumnScales, writeClasses } from "./row_column_scales.ts";
import { slotTable, type SymbolTables, takeSymbol } from "./symbol_table.ts";

/** Largest number of indices that are decoded at once. */
export const LONGEST_RUN = 4096;

/** Some values of an anti-diagonal that follow each other, from its top. */
export type DiagonalPart = Pick<Diagonal, "row" | "column" | "length">;

/**
 * Decodes indices run by run: the classes of the next run are written first, then `indices` and
 * `levels` are filled with the indices and their reconstructions in steps.
 */
export interface RunDecoder {
  /** Class of each index of the next run. */
  readonly classes: Uint8Array;
  /** The indices of the last run. */
  readonly indices: Int32Array;
  /** What the indices of the last run stand for, in steps. */
  readonly levels: Float32Array;
  /** Goes to the start of a code stream. */
  start(stream: Uint8Array): void;
  /** Says which matrix' log-scales make the classes. */
  setScales(scales: RowColumnScales): void;
  /** Writes the classes of a part of an anti-diagonal of that matrix, from place `at` of the run on. */
  classify(part: DiagonalPart, at: number): void;
  /**
   * Decodes a run of `count` indices from a trellis state on; returns the state after them. Throws
   * {@linkcode InputError} where one is larger than any that is written.
   */
  decode(count: number, state: number): number;
  /** Whether the stream ended where its end should be. */
  isAtEnd(): boolean;
}

/** In plain TypeScript: the reference that the WebAssembly kernel equals. */
export function createRunDecoder(trellis: Trellis, tables: SymbolTables): RunDecoder {
  const slots = tables.map((row) => new Array<Uint32Array | undefined>(row.length));
  const classes = new Uint8Array(LONGEST_RUN);
  const indices = new Int32Array(LONGEST_RUN);
  const levels = new Float32Array(LONGEST_RUN);
  let decoder: RansDecoder, scales: RowColumnScales;
  return {
    classes,
    indices,
    levels,
    start(stream) {
      decoder = new RansDecoder(stream);
    },
    setScales(given) {
      scales = given;
    },
    classify(part, at) {
      writeClasses(scales, part, classes.subarray(at));
    },
    decode(count, state) {
      for (let i = 0; i < count; i++) {
        const quantizer = state & 1, index = classes[i]!;
        const table = tables[quantizer]![index]!;
        const k = takeSymbol(decoder, table, slots[quantizer]![index] ??= slotTable(table));
        indices[i] = k;
        levels[i] = reconstruct(trellis, quantizer, k);
        state = trellis.transitions[2 * state + (k & 1)]!;
      }
      return state;
    },
    isAtEnd: () => decoder.isAtEnd(),
  };
}
