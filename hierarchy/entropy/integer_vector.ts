import { exp2Sixteenths } from "./exact_math.ts";
import type { RansDecoder, RansEncoder } from "./rans.ts";
import {
  createSymbolTable,
  LARGEST_MAGNITUDE,
  putSymbol,
  slotTable,
  symbolBits,
  type SymbolTable,
  takeSymbol,
} from "./symbol_table.ts";

/** Two-sided geometric tables P(k) ∝ 2^(-decay |k|), decay = 2^(2 - i/2) for table i. */
const TABLES: readonly SymbolTable[] = Array.from({ length: 16 }, (_, i) => {
  const decay = exp2Sixteenths(16 * 2 - 8 * i) * 16;
  const weights = Float64Array.from(
    { length: LARGEST_MAGNITUDE + 1 },
    (_, a) => exp2Sixteenths(Math.max(-Math.floor(decay * a), -1000)),
  );
  return createSymbolTable(weights, 0);
});

/** Bits of the header: a table's number and the values' median. */
const TABLE_BITS = 4, MEDIAN_BITS = 16;
const MEDIAN_OFFSET = 1 << (MEDIAN_BITS - 1);

/**
 * Codes a vector of small integers (within ±2^15 of zero) around its median with the best of 16
 * geometric distributions: 20 bits and, for values of standard deviation s, about log2(4 s) bits
 * each.
 */
export function putIntegers(encoder: RansEncoder, values: Int32Array): void {
  const median = values.length === 0 ? 0 : values.toSorted()[values.length >> 1]!;
  let best = 0, bestBits = Infinity;
  for (let i = 0; i < TABLES.length; i++) {
    let bits = 0;
    for (const value of values) bits += symbolBits(TABLES[i]!, value - median);
    if (bits < bestBits) [best, bestBits] = [i, bits];
  }
  encoder.putBits(best, TABLE_BITS);
  encoder.putBits(median + MEDIAN_OFFSET, MEDIAN_BITS);
  for (const value of values) putSymbol(encoder, TABLES[best]!, value - median);
}

/** Reads `length` integers that {@linkcode putIntegers} wrote. */
export function takeIntegers(decoder: RansDecoder, length: number): Int32Array {
  const table = TABLES[decoder.takeBits(TABLE_BITS)]!;
  const median = decoder.takeBits(MEDIAN_BITS) - MEDIAN_OFFSET;
  const slots = slotTable(table);
  const values = new Int32Array(length);
  for (let i = 0; i < length; i++) values[i] = takeSymbol(decoder, table, slots) + median;
  return values;
}
