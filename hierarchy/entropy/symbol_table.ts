import { InputError } from "../../data/input_error.ts";
import {
  ESCAPE_WIDTH_BITS,
  LARGEST_MAGNITUDE,
  PROBABILITY_BITS,
  PROBABILITY_SCALE,
  RARE,
} from "../format/constants.ts";
import { normalizeFrequencies } from "./frequency_table.ts";
import type { RansDecoder, RansEncoder } from "./rans.ts";

/**
 * How signed integers of one class are coded: an integer is split into `rawBits` low bits, stored
 * as they are, and a bucket; buckets of magnitude up to `reach` have symbols of their own, others an
 * escape symbol and an Elias-gamma code.
 */
export interface SymbolTable {
  /** Low bits that are stored as they are. */
  readonly rawBits: number;
  /** Largest bucket magnitude with a symbol of its own. */
  readonly reach: number;
  /** Frequency of bucket `b` at `b + reach`; of the escape at `2 * reach + 1`. */
  readonly frequencies: Uint16Array;
  /** Start of each symbol's interval. */
  readonly starts: Uint16Array;
}

/** Most bits of an escaped bucket and its low bits, without the leading one. */
export const WIDEST_ESCAPE = 29;

/** The error for a stream with an integer that is larger than any that is written. */
export function tooWide(): InputError {
  return new InputError(
    "a stream has an integer that is larger than any that is written; the file is damaged, compress the model again",
  );
}

/** Tables by quantizer and class. */
export type SymbolTables = readonly (readonly SymbolTable[])[];

/**
 * A table from the weights (any scale, positive) of bucket magnitudes 0, 1, 2, …; both signs of a
 * magnitude have its weight.
 */
export function createSymbolTable(magnitudeWeights: Float64Array, rawBits: number): SymbolTable {
  let total = 0;
  for (let a = 0; a < magnitudeWeights.length; a++) total += magnitudeWeights[a]! * (a ? 2 : 1);
  let reach = Math.min(magnitudeWeights.length - 1, LARGEST_MAGNITUDE);
  let escapeWeight = 0;
  while (reach > 0 && magnitudeWeights[reach]! / total * PROBABILITY_SCALE < RARE) {
    escapeWeight += 2 * magnitudeWeights[reach--]!;
  }
  const weights = new Float64Array(2 * reach + 2);
  for (let a = 0; a <= reach; a++) weights[reach + a] = weights[reach - a] = magnitudeWeights[a]!;
  weights[2 * reach + 1] = Math.max(escapeWeight, total / PROBABILITY_SCALE);
  const frequencies = normalizeFrequencies(weights);
  const starts = new Uint16Array(frequencies.length);
  for (let i = 1; i < starts.length; i++) starts[i] = starts[i - 1]! + frequencies[i - 1]!;
  return { rawBits, reach, frequencies, starts };
}

/** The bucket of an integer: the nearest multiple of 2^rawBits, halves up. */
export function bucketOf(value: number, rawBits: number): number {
  return rawBits === 0 ? value : (value + (1 << (rawBits - 1))) >> rawBits;
}

/** Codes an integer of magnitude below 2^30. */
export function putSymbol(encoder: RansEncoder, table: SymbolTable, value: number): void {
  const { rawBits, reach, frequencies, starts } = table;
  const bucket = bucketOf(value, rawBits);
  const magnitude = Math.abs(bucket);
  const symbol = magnitude <= reach ? bucket + reach : 2 * reach + 1;
  encoder.put(starts[symbol]!, frequencies[symbol]!);
  if (magnitude > reach) putEscaped(encoder, bucket, magnitude - reach);
  if (rawBits > 0) encoder.putBits((value + (1 << (rawBits - 1))) & ((1 << rawBits) - 1), rawBits);
}

/** Elias-gamma code of an excess of at least 1, and the sign. */
function putEscaped(encoder: RansEncoder, bucket: number, excess: number): void {
  const width = 32 - Math.clz32(excess);
  encoder.putBits(width - 1, ESCAPE_WIDTH_BITS);
  encoder.putBits(excess, width - 1);
  encoder.putBits(bucket < 0 ? 1 : 0, 1);
}

/** Bits that an escaped bucket costs beyond its escape symbol. */
export function escapeBits(excess: number): number {
  return ESCAPE_WIDTH_BITS + (31 - Math.clz32(excess)) + 1;
}

/** Bits that {@linkcode putSymbol} takes in the ideal case. */
export function symbolBits(table: SymbolTable, value: number): number {
  const magnitude = Math.abs(bucketOf(value, table.rawBits));
  const escaped = magnitude > table.reach;
  const symbol = escaped ? 2 * table.reach + 1 : magnitude + table.reach;
  return PROBABILITY_BITS - Math.log2(table.frequencies[symbol]!) + table.rawBits +
    (escaped ? escapeBits(magnitude - table.reach) : 0);
}

/**
 * A table made for decoding: for each of the 4096 slots the symbol (7 bits), its frequency less 1
 * (12 bits) and the slot's offset in its interval (12 bits).
 */
export function slotTable(table: SymbolTable): Uint32Array {
  const slots = new Uint32Array(PROBABILITY_SCALE);
  for (let symbol = 0; symbol < table.frequencies.length; symbol++) {
    const start = table.starts[symbol]!, frequency = table.frequencies[symbol]!;
    for (let offset = 0; offset < frequency; offset++) {
      slots[start + offset] = (symbol << 24) | ((frequency - 1) << 12) | offset;
    }
  }
  return slots;
}

/** Decodes an integer that {@linkcode putSymbol} coded; `slots` is the table's {@linkcode slotTable}. */
export function takeSymbol(decoder: RansDecoder, table: SymbolTable, slots: Uint32Array): number {
  const entry = slots[decoder.peek()]!;
  decoder.take(((entry >>> 12) & 0xfff) + 1, entry & 0xfff);
  const symbol = entry >>> 24;
  let bucket = symbol - table.reach;
  if (bucket > table.reach) bucket = takeEscaped(decoder, table.reach, table.rawBits);
  if (table.rawBits === 0) return bucket;
  return (bucket << table.rawBits) + decoder.takeBits(table.rawBits) - (1 << (table.rawBits - 1));
}

/**
 * Reads what {@linkcode putEscaped} wrote; throws {@linkcode tooWide} if the integer could have
 * a magnitude of 2^30 or more, so that twice it would not fit in 32 bits.
 */
export function takeEscaped(decoder: RansDecoder, reach: number, rawBits: number): number {
  const width = decoder.takeBits(ESCAPE_WIDTH_BITS);
  if (width + rawBits > WIDEST_ESCAPE) throw tooWide();
  const magnitude = reach + ((1 << width) | decoder.takeBits(width));
  if (magnitude >= 2 << (WIDEST_ESCAPE - rawBits)) throw tooWide();
  return decoder.takeBits(1) ? -magnitude : magnitude;
}
