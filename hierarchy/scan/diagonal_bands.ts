import { RUNS } from "../../data/side_by_side.ts";
import type { DiagonalRange } from "./pieces.ts";
import { diagonalOf, type Size, valuesBefore } from "./diagonals.ts";

/** Some anti-diagonals of a matrix that follow each other, with their values. */
export interface Band extends DiagonalRange {
  /** The values, anti-diagonal by anti-diagonal. */
  readonly values: Float32Array;
  /** Where in `values`, for each anti-diagonal, its value in row 0 would be. */
  readonly origins: Int32Array;
}

/**
 * Collects values that come anti-diagonal by anti-diagonal, and gives them out in bands of eight, whose
 * rows can be written side by side: one value after another would touch a cache line for each.
 */
export class DiagonalBands {
  readonly #size: Size;
  readonly #write: (band: Band) => void;
  readonly #values: Float32Array;
  readonly #origins = new Int32Array(RUNS);
  #first = 0;
  #end = 0;
  #filled = 0;
  #length = 0;

  /** `write` is called with each band; what it is given changes after that. */
  constructor(size: Size, write: (band: Band) => void) {
    this.#size = size;
    this.#write = write;
    this.#values = new Float32Array(RUNS * Math.min(size.rows, size.columns));
  }

  /** Takes the values of a range of anti-diagonals that follow its first `offset` ones. */
  put(range: DiagonalRange, offset: number, values: Float32Array): void {
    if (offset === 0) this.#begin(range.first, range.end);
    for (let at = 0; at < values.length;) {
      const count = Math.min(values.length - at, this.#length - this.#filled);
      this.#values.set(values.subarray(at, at + count), this.#filled);
      at += count;
      this.#filled += count;
      if (this.#filled < this.#length) continue;
      const [first, end] = [this.#first, this.#end];
      this.#write({ first, end, values: this.#values, origins: this.#origins });
      this.#begin(end, range.end);
    }
  }

  #begin(first: number, end: number): void {
    this.#first = first;
    this.#end = Math.min(first + RUNS, end);
    this.#filled = 0;
    const start = valuesBefore(this.#size, first);
    this.#length = valuesBefore(this.#size, this.#end) - start;
    for (let number = first; number < this.#end; number++) {
      const { position, row } = diagonalOf(this.#size, number);
      this.#origins[number - first] = position - start - row;
    }
  }
}
