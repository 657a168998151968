import type { Diagonal } from "../scan/diagonals.ts";
import {
  factorPlace,
  type FeedbackState,
  originalPlace,
  SUBTILE,
  valuePlace,
} from "./feedback_state.ts";

/** The operations of error feedback that nearly all the work is in. */
export interface FeedbackOperations {
  /** Memory for at least `length` float32, all zero. */
  allocate(length: number): Float32Array;
  /**
   * C += X F for a square C: all are places in memory. C and X are in lines, as `valuePlace` says; X
   * has `depth` positions and F as many rows, in strips as `factorPlace` says. Sums run over them in
   * order, each operation rounded to float32.
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
  /** Lines and positions of the square. */
  readonly size: number;
  /** The square that is added to: the place of its first value, which begins a subtile. */
  readonly to: number;
  /** The first factor, likewise. */
  readonly errors: number;
  /** Distance from eight lines to the next eight, of both. */
  readonly bandLength: number;
  /** The second factor. */
  readonly factors: number;
  /** Distance of its strips. */
  readonly stripLength: number;
  /** Positions of the first factor and rows of the second. */
  readonly depth: number;
}

const { fround } = Math;

/**
 * {@linkcode FeedbackOperations} in plain TypeScript: the reference that the WebAssembly kernel equals
 * bit for bit.
 */
export const feedbackOperations: FeedbackOperations = {
  allocate: (length) => new Float32Array(length),
  addProduct({ memory }, { size, to, errors, bandLength, factors, stripLength, depth }) {
    const length = bandLength / SUBTILE;
    for (let i = 0; i < size; i++) {
      for (let j = 0; j < size; j++) {
        const column = j % SUBTILE;
        const strip = factors + (j - column) / SUBTILE * stripLength + column;
        const at = to + valuePlace(length, i, j);
        let sum = memory[at]!;
        for (let p = 0; p < depth; p++) {
          const error = memory[errors + valuePlace(length, i, p)]!;
          sum = fround(sum + fround(error * memory[strip + p * SUBTILE]!));
        }
        memory[at] = sum;
      }
    }
  },
  gather({ memory, height, width, above, targets, left }, { row, column, length }) {
    for (let t = 0; t < length; t++) {
      const i = row + t, j = column - t;
      const value = memory[above + valuePlace(height, j, i)]!;
      memory[targets + t] = left === undefined
        ? value
        : value + memory[left.sums + valuePlace(width, i, j)]!;
    }
  },
  passOn(state, { row, column, length }) {
    const { memory, height, width, above, rowFactors, targets, originals, left } = state;
    for (let t = 0; t < length; t++) {
      const i = row + t, j = column - t;
      const level = memory[targets + t]!;
      const at = above + valuePlace(height, j, i);
      const whitened = memory[at]! - level;
      memory[at] = memory[originalPlace(originals, i, j)]! - level;
      const square = { start: 0, end: height, factors: rowFactors };
      addMultiple(memory, { values: above, length: height, line: j, position: i, ...square });
      if (left === undefined) continue;
      memory[left.sums + valuePlace(width, i, j)] = whitened;
      const block = { start: left.starts[j]!, end: left.ends[j]!, factors: left.factors[j]! };
      addMultiple(memory, { values: left.sums, length: width, line: i, position: j, ...block });
    }
  },
};

/** A value that is passed on in its line, from `start` to before `end`, by a square of factors. */
interface Multiple {
  readonly values: number;
  readonly length: number;
  readonly line: number;
  readonly position: number;
  readonly start: number;
  readonly end: number;
  readonly factors: number;
}

/** Adds the error at `position` times factors to the values after it that are near. */
function addMultiple(
  memory: Float32Array,
  { values, length, line, position, start, end, factors }: Multiple,
): void {
  const error = memory[values + valuePlace(length, line, position)]!;
  const last = Math.min(end, (Math.floor(position / SUBTILE) + 2) * SUBTILE);
  for (let i = position + 1; i < last; i++) {
    const factor = memory[factors + factorPlace(end - start, position - start, i - start)]!;
    const at = values + valuePlace(length, line, i);
    memory[at] = memory[at]! + fround(error * factor);
  }
}
