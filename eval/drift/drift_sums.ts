/** Sums over tokens, of the inputs that quantized layers give, Z, and of what they miss. */
export interface DriftSums {
  /** ZᵀZ, row-major, of which what is above the diagonal may be anything. */
  readonly moment: Float64Array;
  /**
   * ZᵀY, row-major, `[size, columns]`: with the original's inputs X, Y = X - Z; of what a matrix M writes
   * to the residual stream, Y = (X - Z) M + D, where D is what the stream misses before that.
   */
  readonly missing: Float64Array;
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
