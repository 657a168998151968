import { CLASS_COUNT } from "../format/constants.ts";
import { symbolBits, type SymbolTable } from "./symbol_table.ts";

/** Index magnitudes below this have their cost tabulated; larger ones cost as this and a bit more. */
export const COSTED_MAGNITUDES = 512;

/**
 * Bits of index magnitude a in a class, sign included, at
 * [(quantizer * CLASS_COUNT + class) * COSTED_MAGNITUDES + a].
 */
export function symbolCosts(tables: readonly (readonly SymbolTable[])[]): Float32Array {
  const costs = new Float32Array(tables.length * CLASS_COUNT * COSTED_MAGNITUDES);
  let at = 0;
  for (const quantizerTables of tables) {
    for (const table of quantizerTables) {
      for (let a = 0; a < COSTED_MAGNITUDES; a++) costs[at++] = symbolBits(table, a);
    }
  }
  return costs;
}
