import { InputError } from "../data/input_error.ts";
import { elementCount, type StateDict, type WeightTensor } from "../data/tensor.ts";
import type { TransformerDescription } from "./architectures/description.ts";
import { expectedTensors, modelLinears } from "./expected_tensors.ts";

/** A tensor as the forward pass reads it. */
export interface PreparedTensor {
  /** Shape of `data`. */
  readonly shape: readonly number[];
  /** Row-major values. */
  readonly data: Float32Array;
  /** Whether the axes are swapped against the checkpoint. */
  readonly transposed: boolean;
}

/** Weights by name, every matrix of a linear layer as `[inputs, outputs]`. */
export type PreparedWeights = ReadonlyMap<string, PreparedTensor>;

/**
 * Lays the weights out for the forward pass; with `shared` in memory that workers can share. Throws
 * {@linkcode InputError} where a weight is NaN or infinite.
 */
export function prepareWeights(
  model: TransformerDescription,
  weights: StateDict,
  shared: boolean,
): PreparedWeights {
  const transposed = transposedMatrices(model);
  const prepared = new Map<string, PreparedTensor>();
  for (const name of expectedTensors(model).keys()) {
    prepared.set(name, prepareTensor(name, weights.get(name)!, transposed.has(name), shared));
  }
  return prepared;
}

/** Names of the matrices that the forward pass wants with their axes swapped. */
export function transposedMatrices(model: TransformerDescription): Set<string> {
  return new Set(
    modelLinears(model).filter(({ layout }) => layout === "outputsByInputs")
      .map(({ weight }) => weight),
  );
}

/** Lays one tensor out for the forward pass, as {@linkcode prepareWeights} does. */
export function prepareTensor(
  name: string,
  { shape, data }: WeightTensor,
  swap: boolean,
  shared: boolean,
): PreparedTensor {
  checkFinite(name, data);
  if (!swap && (!shared || data.buffer instanceof SharedArrayBuffer)) {
    return { shape, data, transposed: false };
  }
  const count = elementCount(shape);
  const target = new Float32Array(
    shared ? new SharedArrayBuffer(4 * count) : new ArrayBuffer(4 * count),
  );
  if (swap) transposeInto(target, data, shape[0]!, shape[1]!);
  else target.set(data);
  return { shape: swap ? [shape[1]!, shape[0]!] : shape, data: target, transposed: swap };
}

function checkFinite(name: string, data: Float32Array): void {
  // One non-finite term makes the sum non-finite; finite float32 terms cannot overflow float64.
  let sum = 0;
  for (let i = 0; i < data.length; i++) sum += data[i]!;
  if (Number.isFinite(sum)) return;
  const index = data.findIndex((value) => !Number.isFinite(value));
  throw new InputError(
    `tensor ${name} holds ${data[index]} at element ${index}; the weights are damaged`,
  );
}

/** Writes the transpose of a row-major `[rows, columns]` matrix, tile by tile for the cache. */
export function transposeInto(
  target: Float32Array,
  source: Float32Array,
  rows: number,
  columns: number,
): void {
  const tile = 16;
  for (let row0 = 0; row0 < rows; row0 += tile) {
    const rowEnd = Math.min(rows, row0 + tile);
    for (let column0 = 0; column0 < columns; column0 += tile) {
      const columnEnd = Math.min(columns, column0 + tile);
      for (let column = column0; column < columnEnd; column++) {
        for (let row = row0; row < rowEnd; row++) {
          target[column * rows + row] = source[row * columns + column]!;
        }
      }
    }
  }
}
