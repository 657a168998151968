import { shareFloat32Array } from "../../workers/shared_array.ts";
import { assertFiniteTensor } from "../../data/finite.ts";
import { expandHalf, readHalf } from "../../data/half_values.ts";
import {
  elementCount,
  type HalfValues,
  type StateDict,
  type WeightTensor,
} from "../../data/tensor.ts";
import { transpose } from "../../data/transpose.ts";
import type { TransformerDescription } from "../architectures/description.ts";
import { type ByteMatrix, readBytes } from "./byte_matrix.ts";
import { expectedTensors, modelLinears } from "./expected_tensors.ts";

/** A tensor as the forward pass reads it. */
export interface PreparedTensor {
  /** Shape in the checkpoint. */
  readonly shape: readonly number[];
  /** Row-major values; expanded anew at each access where they are held in 16 bits. */
  readonly data: Float32Array;
  /** The same values in 16 bits, if they are held so. */
  readonly half?: HalfValues;
  /** The same values as whole numbers, if they are held so. */
  readonly coded?: CodedValues;
  /** Whether it is the matrix of a linear layer that is stored as `[outputs, inputs]`. */
  readonly outputsFirst: boolean;
  /** Where each row of an embedding stands in `data`, where only some are held. */
  readonly places?: ReadonlyMap<number, number>;
}

/** A matrix as whole numbers, which are a row for each output or token. */
export interface CodedValues {
  readonly matrix: ByteMatrix;
  /** Whether that is the transpose of the tensor. */
  readonly swapped: boolean;
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
  tensor: WeightTensor,
  outputsFirst: boolean,
  shared: boolean,
): PreparedTensor {
  const { shape, half } = tensor;
  assertFiniteTensor(name, tensor);
  if (half !== undefined) return heldTensor({ shape, half, outputsFirst });
  const { data } = tensor;
  return { shape, data: shared ? shareFloat32Array(data) : data, outputsFirst };
}

/** What is sent to workers, which see shared memory without a copy. */
export type SentTensor =
  & Omit<PreparedTensor, "data" | "half">
  & ({ readonly data: Float32Array } | { readonly half: HalfValues });

/** Weights as they are sent to workers: values in 16 bits stay so. */
export function sendWeights(weights: PreparedWeights): ReadonlyMap<string, SentTensor> {
  return new Map(Array.from(weights, ([name, tensor]): [string, SentTensor] => {
    if (tensor.half === undefined) return [name, tensor];
    const { shape, outputsFirst, half } = tensor;
    return [name, { shape, outputsFirst, half }];
  }));
}

/** The weights that {@linkcode sendWeights} sent. */
export function receiveWeights(sent: ReadonlyMap<string, SentTensor>): PreparedWeights {
  return new Map(Array.from(
    sent,
    ([name, tensor]) => [name, "half" in tensor ? heldTensor(tensor) : tensor],
  ));
}

function heldTensor(
  tensor: Omit<PreparedTensor, "data"> & { readonly half: HalfValues },
): PreparedTensor {
  return {
    ...tensor,
    get data() {
      return expandHalf(tensor.half);
    },
  };
}

/** A tensor that is held as whole numbers. */
export function codedTensor(coded: CodedValues, outputsFirst: boolean): PreparedTensor {
  const { matrix, matrix: { rows, columns }, swapped } = coded;
  return {
    shape: swapped ? [columns, rows] : [rows, columns],
    coded,
    outputsFirst,
    get data() {
      const values = new Float32Array(rows * columns);
      readBytes(matrix, 0, values);
      return swapped ? transpose(values, rows, columns) : values;
    },
  };
}

/** The values from the first to before the second number; not copied where they are held as such. */
export function valuesBetween(
  tensor: Pick<PreparedTensor, "data" | "half">,
  start: number,
  end: number,
): Float32Array {
  if (tensor.half === undefined) return tensor.data.subarray(start, end);
  const values = new Float32Array(end - start);
  readHalf(tensor.half, start, values);
  return values;
}

/** Writes the values from number `first` on to `target`, as many as it has. */
export function copyValues(
  tensor: Pick<PreparedTensor, "data" | "half" | "coded">,
  first: number,
  target: Float32Array,
): void {
  if (tensor.half !== undefined) readHalf(tensor.half, first, target);
  else if (tensor.coded?.swapped === false) readBytes(tensor.coded.matrix, first, target);
  else target.set(tensor.data.subarray(first, first + target.length));
}

/** Bytes that the values of a tensor take as they are held. */
export function heldBytes({ shape, half, coded }: PreparedTensor): number {
  const count = elementCount(shape);
  if (half !== undefined) return 2 * count;
  if (coded === undefined) return 4 * count;
  const { rows, columns, planes, sparse } = coded.matrix;
  return planes.length * count + 4 * (rows + columns) +
    (sparse === undefined ? 0 : 4 * sparse.starts.length + 8 * sparse.places.length);
}
