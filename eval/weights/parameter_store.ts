import * as tf from "@tensorflow/tfjs";
import { transposeInto } from "../../data/transpose.ts";
import { releaseValues } from "../compute/backend.ts";
import { layerKernels } from "../kernels/layer_kernels.ts";
import type { StoredMatrix } from "../kernels/multiply.ts";
import {
  copyValues,
  type PreparedTensor,
  type PreparedWeights,
  valuesBetween,
} from "./prepared_weights.ts";

/**
 * The weights as tfjs tensors, made when they are first asked for. A resident store keeps them; a
 * streaming one frees them at {@linkcode ParameterStore.release}, so that a large model needs
 * room for one layer only. (The WASM backend holds each matrix twice: as given and packed.)
 */
export class ParameterStore {
  readonly #weights: PreparedWeights;
  readonly #resident: boolean;
  readonly #tensors = new Map<string, tf.Tensor>();

  /** A store over prepared weights; `resident` says whether tensors outlive `release()`. */
  constructor(weights: PreparedWeights, resident: boolean) {
    this.#weights = weights;
    this.#resident = resident;
  }

  /**
   * Makes the vector of a weight, or its matrix as it is {@linkcode ParameterStore.forProducts}, now, so
   * that its values need not be kept.
   */
  load(name: string, { data, shape, outputsFirst }: PreparedTensor): void {
    const isSwapped = shape.length > 1 && outputsFirst && layerKernels() !== undefined;
    const made = shape.length > 1
      ? matrixOf(data, shape, outputsFirst && !isSwapped)
      : tf.tensor1d(data);
    this.#tensors.set(isSwapped ? `transposed ${name}` : name, tf.keep(made));
  }

  /** Frees the vector of a weight whose values have changed. */
  forget(name: string): void {
    this.#tensors.get(name)?.dispose();
    this.#tensors.delete(name);
  }

  /** The `[inputs, outputs]` matrix of a linear layer. */
  matrix(name: string): tf.Tensor2D {
    return this.#tensor(
      name,
      ({ data, shape, outputsFirst }) => matrixOf(data, shape, outputsFirst),
    ) as tf.Tensor2D;
  }

  /** The `[outputs, inputs]` matrix of a linear layer, which backward passes multiply by. */
  transposedMatrix(name: string): tf.Tensor2D {
    return this.#tensor(
      name,
      ({ data, shape, outputsFirst }) => matrixOf(data, shape, !outputsFirst),
      "transposed ",
    ) as tf.Tensor2D;
  }

  /**
   * The `[inputs, outputs]` matrix of a linear layer, as it is stored where products by kernels do not
   * mind: that spares a transposed copy.
   */
  forProducts(name: string): StoredMatrix {
    const transposed = this.#isSwapped(name);
    return { tensor: transposed ? this.transposedMatrix(name) : this.matrix(name), transposed };
  }

  /** The transpose of {@linkcode ParameterStore.forProducts}. */
  forProductsBack(name: string): StoredMatrix {
    if (layerKernels() === undefined) {
      return { tensor: this.transposedMatrix(name), transposed: false };
    }
    const { tensor, transposed } = this.forProducts(name);
    return { tensor, transposed: !transposed };
  }

  /** Columns `start` to `end` (exclusive) of {@linkcode ParameterStore.forProducts}. */
  columnsForProducts(name: string, start: number, end: number): StoredMatrix {
    const transposed = this.#isSwapped(name);
    const tensor = transposed
      ? this.transposedColumns(name, start, end)
      : this.columns(name, start, end);
    return { tensor, transposed };
  }

  /** Columns `start` to `end` (exclusive) of the matrix of a linear layer. */
  columns(name: string, start: number, end: number): tf.Tensor2D {
    return this.#tensor(name, (prepared) => {
      const { data, shape } = outputsOf(prepared, start, end);
      return matrixOf(data, shape, prepared.outputsFirst);
    }, `columns ${start} to ${end} of `) as tf.Tensor2D;
  }

  /** The transpose of {@linkcode ParameterStore.columns}. */
  transposedColumns(name: string, start: number, end: number): tf.Tensor2D {
    return this.#tensor(name, (prepared) => {
      const { data, shape } = outputsOf(prepared, start, end);
      return matrixOf(data, shape, !prepared.outputsFirst);
    }, `transposed columns ${start} to ${end} of `) as tf.Tensor2D;
  }

  /** A bias or scale. */
  vector(name: string): tf.Tensor1D {
    return this.#tensor(name, ({ data }) => tf.tensor1d(data)) as tf.Tensor1D;
  }

  /** The rows `ids` of an embedding, `[ids.length, columns]`; the caller owns the result. */
  rows(name: string, ids: ArrayLike<number>): tf.Tensor2D {
    const prepared = this.#prepared(name);
    const { shape, places } = prepared;
    const columns = shape[1]!;
    const gathered = new Float32Array(ids.length * columns);
    for (let i = 0; i < ids.length; i++) {
      const row = places?.get(ids[i]!) ?? ids[i]!;
      copyValues(prepared, row * columns, gathered.subarray(i * columns, (i + 1) * columns));
    }
    return tf.tensor2d(gathered, [ids.length, columns]);
  }

  /** Frees the tensors of a streaming store; to be called between layers. */
  release(): void {
    if (!this.#resident) this.dispose();
  }

  /** Frees all tensors; they are made again when they are asked for. */
  dispose(): void {
    for (const tensor of this.#tensors.values()) tensor.dispose();
    this.#tensors.clear();
  }

  /** Whether a matrix is best held as `[outputs, inputs]`. */
  #isSwapped(name: string): boolean {
    if (layerKernels() === undefined) return false;
    return this.#tensors.has(`transposed ${name}`) ||
      this.#weights.get(name)?.outputsFirst === true;
  }

  #prepared(name: string): PreparedTensor {
    const prepared = this.#weights.get(name);
    if (prepared === undefined) throw new RangeError(`no weight ${name}`);
    return prepared;
  }

  #tensor(name: string, make: (prepared: PreparedTensor) => tf.Tensor, kind = ""): tf.Tensor {
    const key = kind + name;
    const known = this.#tensors.get(key);
    if (known !== undefined) return known;
    const made = tf.keep(make(this.#prepared(name)));
    this.#tensors.set(key, made);
    return made;
  }
}

/** A row-major matrix, or its transpose, as a tensor. */
function matrixOf(data: Float32Array, shape: readonly number[], swap: boolean): tf.Tensor2D {
  const [rows, columns] = shape as [number, number];
  if (!swap) return tf.tensor2d(data, [rows, columns]);
  const swapped = new Float32Array(data.length);
  transposeInto(swapped, data, rows, columns);
  const matrix = tf.tensor2d(swapped, [columns, rows]);
  releaseValues(swapped);
  return matrix;
}

/** The part of a linear layer's matrix, in its own layout, that gives some of the outputs. */
function outputsOf(
  prepared: PreparedTensor,
  start: number,
  end: number,
): Pick<PreparedTensor, "data" | "shape"> {
  const [rows, columns] = prepared.shape as [number, number];
  const width = end - start;
  if (prepared.outputsFirst) {
    return {
      data: valuesBetween(prepared, start * columns, end * columns),
      shape: [width, columns],
    };
  }
  const { data } = prepared;
  const values = new Float32Array(rows * width);
  for (let row = 0; row < rows; row++) {
    const from = row * columns + start;
    values.set(data.subarray(from, from + width), row * width);
  }
  return { data: values, shape: [rows, width] };
}
