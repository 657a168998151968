import { shareFloat32Array } from "../../workers/shared_array.ts";
import { assertFinite } from "../../data/finite.ts";
import type { StateDict, WeightTensor } from "../../data/tensor.ts";
import type { TransformerDescription } from "../architectures/description.ts";
import { expectedTensors, modelLinears } from "./expected_tensors.ts";

/** A tensor as the forward pass reads it. */
export interface PreparedTensor {
  /** Shape in the checkpoint. */
  readonly shape: readonly number[];
  /** Row-major values. */
  readonly data: Float32Array;
  /** Whether it is the matrix of a linear layer that is stored as `[outputs, inputs]`. */
  readonly outputsFirst: boolean;
  /** Where each row of an embedding stands in `data`, where only some are held. */
  readonly places?: ReadonlyMap<number, number>;
}

/** Weights by name, laid out as in the checkpoint. */
export type PreparedWeights = ReadonlyMap<string, PreparedTensor>;

/**
 * Checks the weights and says how they are laid out; with `shared` in memory that workers can
 * share. Copies what is not there already and nothing else. Throws {@linkcode InputError} if a
 * weight is NaN or infinite.
 */
export function prepareWeights(
  model: TransformerDescription,
  weights: StateDict,
  shared: boolean,
): PreparedWeights {
  const outputsFirst = outputsFirstMatrices(model);
  const prepared = new Map<string, PreparedTensor>();
  for (const name of expectedTensors(model).keys()) {
    prepared.set(name, prepareTensor(name, weights.get(name)!, outputsFirst.has(name), shared));
  }
  return prepared;
}

/** Names of the matrices of linear layers that are stored as `[outputs, inputs]`. */
export function outputsFirstMatrices(model: TransformerDescription): Set<string> {
  return new Set(
    modelLinears(model).filter(({ layout }) => layout === "outputsByInputs")
      .map(({ weight }) => weight),
  );
}

/** Prepares one tensor, as {@linkcode prepareWeights} does. */
export function prepareTensor(
  name: string,
  { shape, data }: WeightTensor,
  outputsFirst: boolean,
  shared: boolean,
): PreparedTensor {
  assertFinite(name, data);
  return { shape, data: shared ? shareFloat32Array(data) : data, outputsFirst };
}
