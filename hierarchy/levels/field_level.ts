import { InputError } from "../../data/input_error.ts";
import { exp2Eighths } from "../entropy/exact_math.ts";
import { putIntegers, takeIntegers } from "../entropy/integer_vector.ts";
import { RansDecoder, RansEncoder } from "../entropy/rans.ts";
import type { EncodedLevel, Level, Matrix, MatrixShape, Signal } from "./level.ts";

/** Settings of {@linkcode createFieldLevel}. */
export interface FieldLevelOptions {
  /** The global constant c: the step of a matrix of root mean square 1. */
  readonly step: number;
}

/** Root mean squares are taken to lie within this many eighths of an octave of 1. */
const LIMIT = 1000;

/**
 * Divides every weight by its quantization step and hands the quotients on. Without calibration the
 * step of a matrix is `step` times its root mean square, rounded to an eighth of an octave, so that
 * every matrix gets the same rate.
 */
export function createFieldLevel({ step }: FieldLevelOptions): Level {
  return {
    kind: "field",
    encode(signal) {
      const exponents = Int32Array.from(signal, matrixExponent);
      const side = new RansEncoder();
      putIntegers(side, exponents);
      const handsOn = signal.map((matrix, i) => {
        const inverse = 1 / (step * exp2Eighths(exponents[i]!));
        return { ...matrix, data: matrix.data.map((value) => value * inverse) };
      });
      const streams = new Map([["steps", side.finish()]]);
      return Promise.resolve({
        encoded: { kind: "field", parameters: { step }, streams },
        handsOn,
      });
    },
  };
}

/** A matrix's root mean square in eighths of an octave. */
function matrixExponent({ data }: Matrix): number {
  let squares = 0;
  for (const value of data) squares += value * value;
  const exponent = 4 * Math.log2(squares / Math.max(1, data.length));
  return Math.round(Math.min(Math.max(exponent, -LIMIT), LIMIT));
}

/** Multiplies the quotients by their steps. */
export function decodeField(
  encoded: EncodedLevel,
  handedOn: Signal,
  shapes: readonly MatrixShape[],
): Signal {
  const stream = encoded.streams.get("steps");
  const step = Number(encoded.parameters.step);
  if (stream === undefined || !(step > 0 && step < Infinity)) {
    throw new InputError("level field lacks its stream steps or its step");
  }
  const exponents = takeIntegers(new RansDecoder(stream), shapes.length);
  return handedOn.map((matrix, i) => {
    const scale = step * exp2Eighths(exponents[i]!);
    return { ...matrix, data: matrix.data.map((value) => value * scale) };
  });
}
