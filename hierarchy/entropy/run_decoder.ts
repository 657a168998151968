import { reconstruct, type Trellis } from "../quantize/trellis.ts";
import { RansDecoder } from "./rans.ts";
import { slotTable, type SymbolTables, takeSymbol } from "./symbol_table.ts";

/** Largest number of indices that are decoded at once. */
export const LONGEST_RUN = 4096;

/**
 * Decodes indices run by run. The caller fills `classes`; `indices` and `levels` are filled with the
 * indices and their reconstructions in steps.
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
  /** Decodes a run of `count` indices from a trellis state on; returns the state after them. */
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
  let decoder: RansDecoder;
  return {
    classes,
    indices,
    levels,
    start(stream) {
      decoder = new RansDecoder(stream);
    },
    decode(count, state) {
      for (let i = 0; i < count; i++) {
        const quantizer = state & 1, index = classes[i]!;
        const table = tables[quantizer]![index]!;
        const k = takeSymbol(decoder, table, slots[quantizer]![index] ??= slotTable(table));
        indices[i] = k;
        // Only damaged streams have indices of more than 31 bits; twice them would not fit 32.
        levels[i] = reconstruct(trellis, quantizer, (k << 1) >> 1);
        state = trellis.transitions[2 * state + (k & 1)]!;
      }
      return state;
    },
    isAtEnd: () => decoder.isAtEnd(),
  };
}
