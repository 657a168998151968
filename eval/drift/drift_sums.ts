/** Sums over tokens, of the original's inputs X and those that quantized layers give, Z. */
export interface DriftSums {
  /** ZᵀZ, row-major, of which what is above the diagonal may be anything. */
  readonly moment: Float64Array;
  /** Zᵀ(X - Z), row-major. */
  readonly drift: Float64Array;
}

/** Sums over the halves of a text: every other batch is of the first. */
export type DriftHalves = readonly [DriftSums, DriftSums];

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

/** Adds values to others. */
export function addValues(to: Float64Array, values: ArrayLike<number>): void {
  for (let i = 0; i < to.length; i++) to[i] = to[i]! + values[i]!;
}
