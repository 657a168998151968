import { readHalf } from "../../data/half_values.ts";
import { type HeldMatrix, isHeld, type SentMatrix } from "../matrix/held_matrix.ts";
import type { Diagonal } from "../scan/diagonals.ts";

/** Values that are read at once, about. */
const CHUNK = 2 ** 20;
/** Lines beyond an anti-diagonal that may be asked for while it is looked at. */
export const AHEAD = 64;

/**
 * The part of a matrix that its next anti-diagonals reach, for matrices whose values are not in memory
 * as they are. An anti-diagonal reaches no further than the shorter axis is long: so a window goes
 * along the longer one, whose rows or columns are called lines here.
 */
export class MatrixWindow {
  /** Whether lines are columns. */
  readonly byColumns: boolean;
  readonly #matrix: HeldMatrix;
  /** Lines of the matrix, and values of each. */
  readonly #long: number;
  readonly #short: number;
  /** Lines from `#first` to before `#end`, one after the other. */
  readonly #values: Float32Array;
  #first = 0;
  #end = 0;

  /** A window before the first line. */
  constructor(matrix: HeldMatrix) {
    const { rows, columns } = matrix;
    this.#matrix = matrix;
    this.byColumns = columns > rows;
    [this.#short, this.#long] = this.byColumns ? [rows, columns] : [columns, rows];
    const chunk = Math.ceil(CHUNK / this.#short);
    const lines = Math.min(this.#long, this.#short + 2 * AHEAD + chunk);
    this.#values = new Float32Array(lines * this.#short);
  }

  /** Writes the values of an anti-diagonal to `target`; goes over them in order. */
  read({ row, column, length }: Diagonal, target: Float32Array): void {
    this.#reach(this.byColumns ? column : row + length - 1);
    const [line, place] = this.byColumns ? [column, row] : [row, column];
    const step = this.byColumns ? 1 - this.#short : this.#short - 1;
    let at = (line - this.#first) * this.#short + place;
    for (let t = 0; t < length; t++, at += step) target[t] = this.#values[at]!;
  }

  /** The values of a line, at most {@linkcode AHEAD} after the last that was asked for. */
  line(line: number): Float32Array {
    this.#reach(line);
    const at = (line - this.#first) * this.#short;
    return this.#values.subarray(at, at + this.#short);
  }

  /** Moves on to where a line is, and as far as there is room. */
  #reach(line: number): void {
    if (line < this.#end) return;
    const first = Math.max(this.#first, line - this.#short - AHEAD);
    this.#values.copyWithin(
      0,
      (first - this.#first) * this.#short,
      (this.#end - this.#first) * this.#short,
    );
    const end = Math.min(this.#long, first + this.#values.length / this.#short);
    const from = (this.#end - first) * this.#short;
    readLines(
      this.#matrix,
      this.byColumns,
      this.#end,
      this.#values.subarray(from, (end - first) * this.#short),
    );
    this.#first = first;
    this.#end = end;
  }
}

/** Fills `target` with lines from `first` on, one after the other. */
function readLines(
  { rows, columns, held }: HeldMatrix,
  byColumns: boolean,
  first: number,
  target: Float32Array,
): void {
  const { stored, transposed, factors } = held;
  const short = byColumns ? rows : columns, long = byColumns ? columns : rows;
  const count = target.length / short;
  const read = (from: number, part: Float32Array) => {
    if (stored instanceof Float32Array) part.set(stored.subarray(from, from + part.length));
    else readHalf(stored, from, part);
  };
  if (byColumns === transposed) {
    read(first * short, target);
  } else {
    const part = new Float32Array(count);
    for (let place = 0; place < short; place++) {
      read(place * long + first, part);
      for (let line = 0; line < count; line++) target[line * short + place] = part[line]!;
    }
  }
  if (factors === undefined) return;
  const [ofLines, ofPlaces] = byColumns
    ? [factors.columns, factors.rows]
    : [factors.rows, factors.columns];
  for (let line = 0, at = 0; line < count; line++) {
    const factor = ofLines[first + line]!;
    for (let place = 0; place < short; place++, at++) {
      // Rows first, as where all values are made at once.
      target[at] = byColumns
        ? target[at]! * ofPlaces[place]! * factor
        : target[at]! * factor * ofPlaces[place]!;
    }
  }
}

/** What reads the values of one anti-diagonal after another. */
export function diagonalReader(
  matrix: SentMatrix,
): (diagonal: Diagonal, values: Float32Array) => void {
  if (isHeld(matrix)) {
    const window = new MatrixWindow(matrix);
    return (diagonal, values) => window.read(diagonal, values);
  }
  const { data, columns } = matrix;
  return ({ row, column, length }, values) => {
    let at = row * columns + column;
    for (let t = 0; t < length; t++, at += columns - 1) values[t] = data[at]!;
  };
}
