import { InputError } from "../../data/input_error.ts";
import type { EncodedLevel } from "./level.ts";

/** An integer parameter of a level that was read from a file; {@linkcode InputError} if it is none. */
export function integerParameter(
  encoded: EncodedLevel,
  name: string,
  least: number,
  most: number,
): number {
  const value = encoded.parameters[name];
  if (typeof value !== "number" || !Number.isInteger(value) || value < least || value > most) {
    throw damaged(encoded, `parameter "${name}" is ${value}, not an integer ${least} to ${most}`);
  }
  return value;
}

/** A positive finite parameter of a level that was read from a file. */
export function positiveParameter(encoded: EncodedLevel, name: string): number {
  const value = encoded.parameters[name];
  if (typeof value !== "number" || !(value > 0 && value < Infinity)) {
    throw damaged(encoded, `parameter "${name}" is ${value}, not a positive number`);
  }
  return value;
}

/** A stream of a level that was read from a file; {@linkcode InputError} where it is missing. */
export function storedStream(encoded: EncodedLevel, name: string): Uint8Array {
  const stream = encoded.streams.get(name);
  if (stream === undefined) throw damaged(encoded, `stream "${name}" is missing`);
  return stream;
}

/** The error for a level whose stored form contradicts itself. */
export function damaged(encoded: EncodedLevel, what: string): InputError {
  return new InputError(
    `${encoded.kind} level: ${what}; the file is damaged, compress the model again`,
  );
}
