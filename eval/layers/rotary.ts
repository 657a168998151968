import * as tf from "@tensorflow/tfjs";
import type { RotaryDescription } from "../architectures/description.ts";
import { rotaryFrequencies } from "./rotary_frequencies.ts";

/** What {@linkcode rotate} needs for a run of positions. */
export interface RotaryTables {
  /** Cosines, `[length, headSize]`; 1 beyond the rotated features. */
  readonly cosine: tf.Tensor2D;
  /** Sines, `[length, headSize]`; 0 beyond the rotated features. */
  readonly sine: tf.Tensor2D;
  /** Signed permutation `[headSize, headSize]` that swaps the halves: (a, b) becomes (-b, a). */
  readonly swap: tf.Tensor2D;
}

/** Tables for the positions `start` .. `start + length - 1`, the last ones of their sequence. */
export function rotaryTables(
  rotary: RotaryDescription,
  headSize: number,
  start: number,
  length: number,
): RotaryTables {
  const frequencies = rotaryFrequencies(rotary, start + length);
  const { attentionFactor = 1 } = rotary;
  const half = frequencies.length;
  const cosine = new Float32Array(length * headSize).fill(1);
  const sine = new Float32Array(length * headSize);
  for (let position = 0; position < length; position++) {
    for (let feature = 0; feature < rotary.dimensions; feature++) {
      const angle = (start + position) * frequencies[feature % half]!;
      cosine[position * headSize + feature] = attentionFactor * Math.cos(angle);
      sine[position * headSize + feature] = attentionFactor * Math.sin(angle);
    }
  }
  const swap = new Float32Array(headSize * headSize);
  for (let pair = 0; pair < half; pair++) {
    swap[(pair + half) * headSize + pair] = -1;
    swap[pair * headSize + pair + half] = 1;
  }
  return {
    cosine: tf.tensor2d(cosine, [length, headSize]),
    sine: tf.tensor2d(sine, [length, headSize]),
    swap: tf.tensor2d(swap, [headSize, headSize]),
  };
}

/** Rotates a head's queries or keys, `[length, headSize]`, by their positions. */
export function rotate(x: tf.Tensor2D, tables: RotaryTables): tf.Tensor2D {
  return tf.add(tf.mul(x, tables.cosine), tf.mul(tf.matMul(x, tables.swap), tables.sine));
}

/** Gradient of {@linkcode rotate} by its input: the rotation back, by the same factor. */
export function rotateBack(dy: tf.Tensor2D, tables: RotaryTables): tf.Tensor2D {
  return tf.sub(tf.mul(dy, tables.cosine), tf.mul(tf.matMul(dy, tables.swap), tables.sine));
}
