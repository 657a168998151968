import type { Matrix } from "../hierarchy/matrix/matrix.ts";

/** What a baseline makes of a matrix. */
export interface BaselineResult {
  /** The values that a reader of the format would see, row-major. */
  readonly reconstruction: Float32Array;
  /** Every byte that the format stores, scales and masks included. */
  readonly bytes: number;
}

/**
 * A published way to compress a matrix whose rows are outputs and whose columns are inputs.
 * `hessian` is the second moment E[x xᵀ] of the inputs, columns × columns, row-major; methods that
 * have no use for it ignore it, and those that want it do without if it is omitted.
 */
export type Baseline = (weights: Matrix, hessian?: Float64Array) => BaselineResult;

/** The mean square of each input: the diagonal of the Hessian, or 1 where there is none. */
export function inputImportance(columns: number, hessian?: Float64Array): Float64Array {
  return Float64Array.from({ length: columns }, (_, j) => hessian?.[j * columns + j] ?? 1);
}

/** Calls `visit` with every run of at most `groupSize` columns of every row. */
export function forEachGroup(
  { rows, columns }: Pick<Matrix, "rows" | "columns">,
  groupSize: number,
  visit: (row: number, start: number, end: number) => void,
): void {
  for (let row = 0; row < rows; row++) {
    for (let start = 0; start < columns; start += groupSize) {
      visit(row, start, Math.min(columns, start + groupSize));
    }
  }
}

/** Number of groups of all rows. */
export function groupCount(
  { rows, columns }: Pick<Matrix, "rows" | "columns">,
  groupSize: number,
): number {
  return rows * Math.ceil(columns / groupSize);
}

/** Bytes of `count` fields of `bits` bits, packed. */
export function packedBytes(count: number, bits: number): number {
  return Math.ceil(count * bits / 8);
}
