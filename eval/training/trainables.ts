import { InputError } from "../../data/input_error.ts";
import type { NormDescription, TransformerDescription } from "../architectures/description.ts";
import { expectedTensors } from "../weights/expected_tensors.ts";
import type { PreparedWeights } from "../weights/prepared_weights.ts";
import type { MatrixGains, Trainables } from "./trainer.ts";

/**
 * The last norm of a model that can be trained. Throws {@linkcode InputError} that names what stands
 * in the way.
 */
export function requireTrainable(
  { modelType, objective, finalNorm, headTransform }: TransformerDescription,
): NormDescription {
  const refuse = (why: string) => new InputError(`${modelType} models cannot be tuned: ${why}`);
  if (objective !== "nextToken") throw refuse("they do not predict next tokens");
  if (headTransform !== undefined) throw refuse("their head has a layer of its own");
  if (finalNorm === undefined) throw refuse("they have no last norm");
  return finalNorm;
}

/** Where training begins: gains of 1, and the vectors as they are stored. */
export function startTrainables(
  model: TransformerDescription,
  weights: PreparedWeights,
): Trainables {
  return makeTrainables(model, {
    gains: (length) => new Float32Array(length).fill(1),
    vector: (name) => Float32Array.from(weights.get(name)!.data),
  });
}

/** Zeros for the gradient by everything that is trained. */
export function zeroGradients(model: TransformerDescription): Trainables {
  const zeros = (length: number) => new Float32Array(length);
  return makeTrainables(model, { gains: zeros, vector: (_, length) => zeros(length) });
}

/** Zeros for the gradient by every matrix. */
export function zeroWeightGradients(model: TransformerDescription): Map<string, Float32Array> {
  const zeros = new Map<string, Float32Array>();
  for (const [name, [rows = 1, columns]] of expectedTensors(model)) {
    if (columns !== undefined) zeros.set(name, new Float32Array(rows * columns));
  }
  return zeros;
}

function makeTrainables(
  model: TransformerDescription,
  make: {
    readonly gains: (length: number) => Float32Array;
    readonly vector: (name: string, length: number) => Float32Array;
  },
): Trainables {
  const gains = new Map<string, MatrixGains>();
  const vectors = new Map<string, Float32Array>();
  for (const [name, [rows = 1, columns]] of expectedTensors(model)) {
    if (columns === undefined) vectors.set(name, make.vector(name, rows));
    else gains.set(name, { rows: make.gains(rows), columns: make.gains(columns) });
  }
  return { gains, vectors };
}

/** All arrays of what is trained, in an order that its names give. */
export function arraysOf({ gains, vectors }: Trainables): Float32Array[] {
  return [
    ...[...gains.values()].flatMap(({ rows, columns }) => [rows, columns]),
    ...vectors.values(),
  ];
}

/** The same names with arrays of one's own. */
export function mapTrainables(
  { gains, vectors }: Trainables,
  map: (values: Float32Array) => Float32Array,
): Trainables {
  return {
    gains: new Map(
      [...gains.entries()].map(([name, { rows, columns }]) => [
        name,
        { rows: map(rows), columns: map(columns) },
      ]),
    ),
    vectors: new Map([...vectors.entries()].map(([name, values]) => [name, map(values)])),
  };
}

/** Adds values to others, one by one. */
export function addTo(sums: Float32Array, values: ArrayLike<number>): void {
  for (let i = 0; i < sums.length; i++) sums[i]! += values[i]!;
}
