import {
  LARGEST_MAGNITUDE,
  LOWEST_SCORE,
  MEAN_BITS,
  MEDIAN_BITS,
  PREDICTOR_BITS,
  PROBABILITY_BITS,
  TABLE_BITS,
} from "../format/constants.ts";
import { exp2Sixteenths } from "./exact_math.ts";
import type { RansDecoder, RansEncoder } from "./rans.ts";
import {
  createSymbolTable,
  putSymbol,
  slotTable,
  symbolBits,
  type SymbolTable,
  takeSymbol,
  tooWide,
} from "./symbol_table.ts";

/** Two-sided geometric tables P(k) ∝ 2^(-decay |k|), decay = 2^(2 - i/2) for table i. */
const TABLES: readonly SymbolTable[] = Array.from({ length: 16 }, (_, i) => {
  const decay = exp2Sixteenths(16 * 2 - 8 * i) * 16;
  const weights = Float64Array.from(
    { length: LARGEST_MAGNITUDE + 1 },
    (_, a) => exp2Sixteenths(Math.max(-Math.floor(decay * a), LOWEST_SCORE)),
  );
  return createSymbolTable(weights, 0);
});

const SLOT_TABLES = TABLES.map(slotTable);

/** Bits of a vector's head, and the fewest that one of its integers can take. */
const HEAD_BITS = TABLE_BITS + PREDICTOR_BITS + MEDIAN_BITS;
const FEWEST_BITS = PROBABILITY_BITS -
  Math.max(
    ...TABLES.map(({ frequencies }) => Math.log2(frequencies.reduce((a, b) => Math.max(a, b)))),
  );

/** Larger magnitudes than any that is written; predictors of smaller ones fit in 32 bits. */
export const LARGEST_INTEGER = 2 ** 20;

/** Bits that this many vectors of this many integers together take at least. */
export function fewestBits(vectors: number, integers: number): number {
  return HEAD_BITS * vectors + FEWEST_BITS * integers;
}

const MEDIAN_OFFSET = 1 << (MEDIAN_BITS - 1);

/**
 * Predicts a value from those before it: the median, or a running mean whose memory is 2^shift
 * values. Predictor 0 has no memory; numbers 1 to 3 have shifts 2 to 4.
 */
class Predictor {
  readonly #shift: number;
  /** Running mean, with eight fractional bits. */
  #mean: number;

  constructor(number: number, median: number) {
    this.#shift = number === 0 ? 0 : number + 1;
    this.#mean = median << MEAN_BITS;
  }

  get(): number {
    return (this.#mean + (1 << (MEAN_BITS - 1))) >> MEAN_BITS;
  }

  update(value: number): void {
    if (this.#shift > 0) this.#mean += ((value << MEAN_BITS) - this.#mean) >> this.#shift;
  }
}

function residuals(values: Int32Array, predictor: Predictor): Int32Array {
  return values.map((value) => {
    const residual = value - predictor.get();
    predictor.update(value);
    return residual;
  });
}

/**
 * Codes a vector of small integers (within ±2^15 of zero) with the best of four predictors and of
 * 16 geometric distributions: 22 bits and, for residuals of standard deviation s, about log2(4 s)
 * bits each.
 */
export function putIntegers(encoder: RansEncoder, values: Int32Array): void {
  const median = values.length === 0 ? 0 : values.toSorted()[values.length >> 1]!;
  let best = { predictor: 0, table: 0, bits: Infinity, coded: values };
  for (let predictor = 0; predictor < 1 << PREDICTOR_BITS; predictor++) {
    const coded = residuals(values, new Predictor(predictor, median));
    for (let table = 0; table < TABLES.length; table++) {
      let bits = 0;
      for (const value of coded) bits += symbolBits(TABLES[table]!, value);
      if (bits < best.bits) best = { predictor, table, bits, coded };
    }
  }
  encoder.putBits(best.table, TABLE_BITS);
  encoder.putBits(best.predictor, PREDICTOR_BITS);
  encoder.putBits(median + MEDIAN_OFFSET, MEDIAN_BITS);
  for (const value of best.coded) putSymbol(encoder, TABLES[best.table]!, value);
}

/**
 * Reads `length` integers that {@linkcode putIntegers} wrote. Throws {@linkcode InputError} if one is
 * larger than any that is written.
 */
export function takeIntegers(decoder: RansDecoder, length: number): Int32Array {
  const tableNumber = decoder.takeBits(TABLE_BITS);
  const table = TABLES[tableNumber]!, slots = SLOT_TABLES[tableNumber]!;
  const number = decoder.takeBits(PREDICTOR_BITS);
  const predictor = new Predictor(number, decoder.takeBits(MEDIAN_BITS) - MEDIAN_OFFSET);
  const values = new Int32Array(length);
  for (let i = 0; i < length; i++) {
    const value = takeSymbol(decoder, table, slots) + predictor.get();
    if (Math.abs(value) > LARGEST_INTEGER) throw tooWide();
    values[i] = value;
    predictor.update(value);
  }
  return values;
}
