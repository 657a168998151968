import type { Indices } from "../entropy/index_matrix.ts";
import { sharedInt16Array, sharedInt32Array } from "../../workers/shared_array.ts";

/** Holds the indices of a matrix in so few bits each as the largest needs: 8, 16 or 32. */
export class IndexStore {
  #indices: Indices;

  /** Writes into an array that has room for all of them, as long as they fit. */
  constructor(indices: Indices) {
    this.#indices = indices;
  }

  /** Where the indices are. */
  get indices(): Indices {
    return this.#indices;
  }

  /** Where the indices are, when all are written. */
  finish(): Indices {
    return this.#indices;
  }

  /** Writes indices that follow each other from `position` on. */
  set(run: Int32Array, position: number): void {
    while (!fitsBits(run, 8 * this.#indices.BYTES_PER_ELEMENT)) this.#widen();
    this.#indices.set(run, position);
  }

  #widen(): void {
    const { length } = this.#indices;
    const wide = this.#indices instanceof Int8Array
      ? sharedInt16Array(length)
      : sharedInt32Array(length);
    wide.set(this.#indices);
    this.#indices = wide;
  }
}

/** Whether all indices fit so many bits. */
export function fitsBits(run: Int32Array, bits: number): boolean {
  const limit = 2 ** (bits - 1);
  for (let i = 0; i < run.length; i++) if (run[i]! >= limit || run[i]! < -limit) return false;
  return true;
}
