import { roundToFloat16 } from "../data/round_to_float16.ts";
import type { Matrix } from "../hierarchy/matrix/matrix.ts";
import { fitAffineGrid, roundToGrid } from "./affine_grid.ts";
import { type BaselineResult, groupCount, packedBytes } from "./baseline.ts";

/** Settings of {@linkcode dualScale}. */
export interface DualScaleOptions {
  /** Bits of a weight, 2 to 8. */
  readonly bits: number;
  /** Columns of a tile; each row of a tile has a scale and a zero point, each column a scale. */
  readonly groupSize: number;
}

/** Rounds of normalising rows and columns, and the largest factor of one round. */
const ROUNDS = 24, MOST_FACTOR = 2;

/**
 * Dual scales in the manner of SINQ (Müller et al., arXiv 2509.22944), without data: rows and
 * columns of a tile are divided by scales that make their standard deviations alike, and the rows
 * of what is left are rounded to nearest. Scales in f16, zero points in `bits` bits.
 *
 * ```ts
 * import { dualScale } from "@kanpress/kanpress/baselines";
 * import assert from "node:assert";
 *
 * const data = Float32Array.of(1, -100, -1, 100);
 * const { reconstruction } = dualScale({ name: "w", rows: 2, columns: 2, data }, {
 *   bits: 4,
 *   groupSize: 2,
 * });
 * assert.ok(Math.abs(reconstruction[0]! - 1) < 0.2);
 * ```
 */
export function dualScale(weights: Matrix, { bits, groupSize }: DualScaleOptions): BaselineResult {
  const { rows, columns, data } = weights;
  const reconstruction = new Float32Array(data.length);
  const ones = new Float64Array(Math.min(groupSize, columns)).fill(1);
  for (let start = 0; start < columns; start += groupSize) {
    const width = Math.min(groupSize, columns - start);
    const at = (i: number, j: number) => i * columns + start + j;
    const tile = new Float64Array(rows * width);
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < width; j++) tile[i * width + j] = data[at(i, j)]!;
    }
    const columnScales = balance(tile, rows, width);
    for (let i = 0; i < rows; i++) {
      // A row's scale of the balance would only move the grid's own, so it is left to the grid.
      const values = columnScales.map((scale, j) => tile[i * width + j]! / scale);
      const grid = fitAffineGrid(values, ones, { bits, symmetric: false, searchClip: false });
      values.forEach((value, j) => {
        reconstruction[at(i, j)] = roundToGrid(grid, value) * columnScales[j]!;
      });
    }
  }
  const bytes = packedBytes(rows * columns, bits) +
    packedBytes(groupCount(weights, groupSize), 16 + bits) + 2 * columns;
  return { reconstruction, bytes };
}

/** The columns' scales, in f16, of the rows' and columns' scales that balance a tile best. */
function balance(tile: Float64Array, rows: number, columns: number): Float64Array {
  const left = tile.slice();
  const rowScales = new Float64Array(rows).fill(1);
  const columnScales = new Float64Array(columns).fill(1);
  let best = columnScales.slice();
  let bestImbalance = Infinity;
  for (let round = 0; round <= ROUNDS; round++) {
    const { rowDeviations, columnDeviations } = deviations(left, rows, columns);
    const all = [...rowDeviations, ...columnDeviations].filter((deviation) => deviation > 0);
    if (all.length === 0) break;
    const imbalance = all.reduce((a, b) => Math.max(a, b)) / all.reduce((a, b) => Math.min(a, b));
    if (imbalance < bestImbalance) [best, bestImbalance] = [columnScales.slice(), imbalance];
    const mean = Math.exp(
      all.reduce((sum, deviation) => sum + Math.log(deviation), 0) / all.length,
    );
    const factor = (deviation: number) => {
      const wanted = deviation === 0 ? 1 : Math.sqrt(deviation / mean);
      return Math.min(Math.max(wanted, 1 / MOST_FACTOR), MOST_FACTOR);
    };
    for (let i = 0; i < rows; i++) rowScales[i]! *= factor(rowDeviations[i]!);
    for (let j = 0; j < columns; j++) columnScales[j]! *= factor(columnDeviations[j]!);
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++) {
        left[i * columns + j] = tile[i * columns + j]! / (rowScales[i]! * columnScales[j]!);
      }
    }
  }
  return best.map((scale) => roundToFloat16(Math.min(Math.max(scale, 2 ** -14), 65504)));
}

/** Standard deviations of the rows and of the columns. */
function deviations(values: Float64Array, rows: number, columns: number) {
  const moments = (count: number, length: number, at: (k: number, l: number) => number) =>
    Float64Array.from({ length: count }, (_, k) => {
      let sum = 0, squares = 0;
      for (let l = 0; l < length; l++) {
        const value = values[at(k, l)]!;
        sum += value;
        squares += value * value;
      }
      return Math.sqrt(Math.max(0, squares / length - (sum / length) ** 2));
    });
  return {
    rowDeviations: moments(rows, columns, (i, j) => i * columns + j),
    columnDeviations: moments(columns, rows, (j, i) => i * columns + j),
  };
}
