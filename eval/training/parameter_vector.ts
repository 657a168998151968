import { arraysOf, mapTrainables } from "./trainables.ts";
import type { Trainables } from "./trainer.ts";

/** Lays out what is trained as one vector in which all steps may be of one size. */
export interface ParameterVector {
  /** Number of values. */
  readonly length: number;
  /** The vector of some trainables. */
  flatten(values: Trainables): Float64Array;
  /** The trainables of a vector; what is frozen is as it was at the start. */
  unflatten(vector: Float64Array): Trainables;
  /** Gradient by the vector. */
  flattenGradient(gradients: Trainables): Float64Array;
}

/** An array of what is trained, its place in the vector, and what a unit of the vector means. */
interface Place {
  readonly number: number;
  readonly from: number;
  readonly length: number;
  readonly scale: number;
}

/**
 * A vector of gains as they are, and of norms' and biases' values in units of their root mean square
 * at the start. Matrices that are not in `matrices` have no gains; vectors of zeros stay so.
 */
export function layOut(start: Trainables, matrices: ReadonlySet<string>): ParameterVector {
  const places: Place[] = [];
  let number = 0, length = 0;
  const add = (values: Float32Array, scale: number) => {
    if (scale > 0) {
      places.push({ number, from: length, length: values.length, scale });
      length += values.length;
    }
    number++;
  };
  for (const [name, { rows, columns }] of start.gains) {
    const scale = matrices.has(name) ? 1 : 0;
    add(rows, scale);
    add(columns, scale);
  }
  for (const values of start.vectors.values()) add(values, rootMeanSquare(values));
  const gather = (values: Trainables, factor: (scale: number) => number) => {
    const arrays = arraysOf(values);
    const vector = new Float64Array(length);
    for (const { number, from, scale } of places) {
      arrays[number]!.forEach((value, i) => vector[from + i] = value * factor(scale));
    }
    return vector;
  };
  return {
    length,
    flatten: (values) => gather(values, (scale) => 1 / scale),
    flattenGradient: (gradients) => gather(gradients, (scale) => scale),
    unflatten(vector) {
      const byNumber = new Map(places.map((place) => [place.number, place]));
      let number = 0;
      return mapTrainables(start, (values) => {
        const place = byNumber.get(number++);
        if (place === undefined) return values.slice();
        const { from, length, scale } = place;
        return Float32Array.from({ length }, (_, i) => vector[from + i]! * scale);
      });
    },
  };
}

function rootMeanSquare(values: Float32Array): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
}
