import type { TransformerDescription } from "../architectures/description.ts";
import type { PreparedWeights } from "../weights/prepared_weights.ts";

/** Equally long chunks of tokens, one after another. */
export interface Batch {
  readonly ids: Int32Array;
  /** Number of chunks. */
  readonly chunks: number;
}

/** Inputs of linear maps by the names of their weights, each `[tokens, inputs]`. */
export type LinearInputs = ReadonlyMap<string, Float32Array>;

/**
 * Goes through a model layer by layer. Weights may be replaced in the map that it was made of while it
 * stands before a layer.
 */
export interface LayerWalk {
  /** The inputs of linear maps of the layer ahead, for each batch. */
  look(weights: readonly string[]): Promise<LinearInputs[]>;
  /** Looks at the layer ahead, and goes through it. */
  advance(weights?: readonly string[]): Promise<LinearInputs[]>;
}

/** Sums over all tokens, of the original's inputs X and those that quantized layers give, Z. */
export interface DriftSums {
  /** ZᵀZ, row-major. */
  readonly moment: Float64Array;
  /** Zᵀ(X - Z), row-major. */
  readonly drift: Float64Array;
}

/** Sides of two matrices that are multiplied. */
export interface ProductSize {
  readonly rows: number;
  readonly depth: number;
  readonly columns: number;
}

/** Multiplies row-major matrices, `[rows, depth]` by `[depth, columns]`. */
export type Multiply = (
  a: Float32Array,
  b: Float32Array,
  size: ProductSize,
) => Promise<Float32Array>;

/** Runs both models, and multiplies their inputs. */
export interface DriftEngine {
  /** Stands before the first layer of a model. */
  walk(weights: PreparedWeights): LayerWalk;
  /** Adds the products of X and Z, each `[tokens, size]`, to sums. */
  add(sums: DriftSums, x: Float32Array, z: Float32Array, size: number): Promise<void>;
  /** Multiplies matrices. */
  readonly multiply: Multiply;
  /** Frees what it took. */
  close(): Promise<void>;
}

/** What an engine runs. */
export interface DriftEngineOptions {
  readonly model: TransformerDescription;
  /** What is read. */
  readonly batches: readonly Batch[];
  /** Threads of the native engine. */
  readonly threads: number;
}

/** Sums of nothing. */
export function noDrift(size: number): DriftSums {
  return { moment: new Float64Array(size * size), drift: new Float64Array(size * size) };
}

/** Adds values to others. */
export function addValues(to: Float64Array, values: ArrayLike<number>): void {
  for (let i = 0; i < to.length; i++) to[i] = to[i]! + values[i]!;
}
