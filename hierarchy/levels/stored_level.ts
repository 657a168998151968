import { InputError } from "../../data/input_error.ts";
import { quote, quoteValue } from "../../data/quote.ts";
import { roomInBits } from "../entropy/rans.ts";
import type { MatrixShape } from "../matrix/matrix.ts";
import type { EncodedLevel } from "./level.ts";
import { streamLength } from "./stream_lengths.ts";

/** An integer parameter of a level that was read from a file; {@linkcode InputError} if it is none. */
export function integerParameter(
  encoded: EncodedLevel,
  name: string,
  least: number,
  most: number,
): number {
  const value = encoded.parameters[name];
  if (typeof value !== "number" || !Number.isInteger(value) || value < least || value > most) {
    throw damaged(
      encoded,
      `parameter "${name}" is ${quoteValue(value)}, not an integer ${least} to ${most}`,
    );
  }
  return value;
}

/** A positive finite parameter of a level that was read from a file. */
export function positiveParameter(encoded: EncodedLevel, name: string): number {
  const value = encoded.parameters[name];
  if (typeof value !== "number" || !(value > 0 && value < Infinity)) {
    throw damaged(encoded, `parameter "${name}" is ${quoteValue(value)}, not a positive number`);
  }
  return value;
}

/** A stream of a level that was read from a file; {@linkcode InputError} where it is missing. */
export function storedStream(encoded: EncodedLevel, name: string): Uint8Array {
  const stream = encoded.streams.get(name);
  if (stream === undefined) throw damaged(encoded, `stream "${name}" is missing`);
  return stream;
}

/** Bytes of a stream, which is not read for that; {@linkcode InputError} where it is missing. */
function lengthOf(encoded: EncodedLevel, name: string): number {
  const length = streamLength(encoded.streams, name);
  if (length === undefined) throw damaged(encoded, `stream "${name}" is missing`);
  return length;
}

/**
 * Throws {@linkcode InputError} if a stream is too short for what it should hold, before any of it
 * is decoded: `bits` for the level itself and at least `bitsOf` each matrix.
 */
export function requireRoom(
  encoded: EncodedLevel,
  name: string,
  bits: number,
  shapes: readonly MatrixShape[],
  bitsOf: (shape: MatrixShape, index: number) => number,
): void {
  const length = lengthOf(encoded, name);
  let left = roomInBits(length) - bits;
  for (const [index, shape] of shapes.entries()) {
    left -= bitsOf(shape, index);
    if (!(left >= 0)) {
      throw damaged(
        encoded,
        `stream "${name}" of ${length} bytes is too short to code ${described(shape)}`,
      );
    }
  }
  if (!(left >= 0)) throw damaged(encoded, `stream "${name}" of ${length} bytes is too short`);
}

/** A matrix for a message: `tensor "w" (3 x 4)`. */
export function described({ name, rows, columns }: MatrixShape): string {
  return `tensor ${quote(name)} (${rows} x ${columns})`;
}

/** Throws {@linkcode InputError} unless a level has these streams and no others. */
export function requireStreams(encoded: EncodedLevel, names: readonly string[]): void {
  for (const name of names) lengthOf(encoded, name);
  const known = new Set(names);
  for (const name of encoded.streams.keys()) {
    if (!known.has(name)) throw damaged(encoded, `stream ${quote(name)} belongs to nothing`);
  }
}

/** The error for a level whose stored form contradicts itself. */
export function damaged(encoded: EncodedLevel, what: string): InputError {
  return new InputError(
    `${encoded.kind} level: ${what}; the file is damaged, compress the model again`,
  );
}
