import type { Diagonal } from "../scan/diagonals.ts";
import { factorPlace, type FeedbackState, SUBTILE } from "./feedback_state.ts";

/** The operations of error feedback that nearly all the work is in. */
export interface FeedbackOperations {
  /** Memory for at least `length` float32, all zero. */
  allocate(length: number): Float32Array;
  /**
   * C += X F for a square C: all are places in memory. X has `depth` columns, F as many rows, in
   * strips as `factorPlace` says. Sums run over them in order, each operation rounded to float32.
   */
  addProduct(state: FeedbackState, product: TileProduct): void;
  /** Writes what the values of an anti-diagonal are to be quantized at to the state's targets. */
  gather(state: FeedbackState, diagonal: Diagonal): void;
  /**
   * Puts the errors of an anti-diagonal, from what the targets became and the originals, in the place
   * of its values, and adds them to what is near: the same subtile and the next.
   */
  passOn(state: FeedbackState, diagonal: Diagonal): void;
}

/** Operands of {@linkcode FeedbackOperations.addProduct}. */
export interface TileProduct {
  /** Rows and columns of the square. */
  readonly size: number;
  /** The square that is added to. */
  readonly to: number;
  /** Distance of its rows. */
  readonly toStride: number;
  /** The first factor. */
  readonly errors: number;
  /** Distance of its rows. */
  readonly errorStride: number;
  /** The second factor. */
  readonly factors: number;
  /** Distance of its strips. */
  readonly stripLength: number;
  /** Columns of the first factor and rows of the second. */
  readonly depth: number;
}

const { fround } = Math;

/**
 * {@linkcode FeedbackOperations} in plain TypeScript: the reference that the WebAssembly kernel equals
 * bit for bit.
 */
export const feedbackOperations: FeedbackOperations = {
  allocate: (length) => new Float32Array(length),
  addProduct({ memory }, { size, to, toStride, errors, errorStride, factors, stripLength, depth }) {
    for (let i = 0; i < size; i++) {
      for (let j = 0; j < size; j++) {
        const column = j % SUBTILE;
        const strip = factors + (j - column) / SUBTILE * stripLength + column;
        let sum = memory[to + i * toStride + j]!;
        for (let p = 0; p < depth; p++) {
          const error = memory[errors + i * errorStride + p]!;
          sum = fround(sum + fround(error * memory[strip + p * SUBTILE]!));
        }
        memory[to + i * toStride + j] = sum;
      }
    }
  },
  gather({ memory, height, width, above, targets, left }, { row, column, length }) {
    for (let t = 0; t < length; t++) {
      const i = row + t, j = column - t;
      const value = memory[above + j * height + i]!;
      memory[targets + t] = left === undefined ? value : value + memory[left.sums + i * width + j]!;
    }
  },
  passOn(state, { row, column, length }) {
    const { memory, height, width, above, rowFactors, targets, originals, left } = state;
    for (let t = 0; t < length; t++) {
      const i = row + t, j = column - t;
      const level = memory[targets + t]!;
      const at = above + j * height + i;
      const whitened = memory[at]! - level;
      memory[at] = memory[originals + t]! - level;
      addMultiple(memory, above + j * height, rowFactors, i, height);
      if (left === undefined) continue;
      memory[left.sums + i * width + j] = whitened;
      const start = left.starts[j]!;
      const values = left.sums + i * width + start;
      addMultiple(memory, values, left.factors[j]!, j - start, left.ends[j]! - start);
    }
  },
};

/** Adds the error at `index` times factors to the values after it that are near. */
function addMultiple(
  memory: Float32Array,
  values: number,
  factors: number,
  index: number,
  size: number,
): void {
  const error = memory[values + index]!;
  const end = Math.min(size, (Math.floor(index / SUBTILE) + 2) * SUBTILE);
  for (let i = index + 1; i < end; i++) {
    const factor = memory[factors + factorPlace(size, index, i)]!;
    memory[values + i] = memory[values + i]! + fround(error * factor);
  }
}
