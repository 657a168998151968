import type { Matrix } from "../hierarchy/matrix/matrix.ts";
import { type AffineGridOptions, fitAffineGrid, gridBits, roundToGrid } from "./affine_grid.ts";
import {
  type BaselineResult,
  forEachGroup,
  groupCount,
  inputImportance,
  packedBytes,
} from "./baseline.ts";

/** Settings of {@linkcode roundToNearest}. */
export interface RoundToNearestOptions extends AffineGridOptions {
  /** Weights that share a scale, along a row; a whole row by `Infinity`. */
  readonly groupSize: number;
}

/**
 * Rounds every weight to the nearest value of its group's grid. With `searchClip`, ranges are
 * chosen by the squared error weighted by the diagonal of the Hessian.
 *
 * ```ts
 * import { roundToNearest } from "@kanpress/kanpress/baselines";
 * import assert from "node:assert";
 *
 * const weights = { name: "w", rows: 1, columns: 4, data: Float32Array.of(-3, 0, 1.2, 4) };
 * const options = { bits: 3, symmetric: false, searchClip: false, groupSize: 4 };
 * const { reconstruction, bytes } = roundToNearest(weights, options);
 * assert.deepEqual([...reconstruction], [-3, 0, 1, 4]);
 * assert.equal(bytes, 2 + 3); // weights; scale and zero point
 * ```
 */
export function roundToNearest(
  weights: Matrix,
  options: RoundToNearestOptions,
  hessian?: Float64Array,
): BaselineResult {
  const { rows, columns, data } = weights;
  const groupSize = Math.min(options.groupSize, columns);
  const importance = inputImportance(columns, hessian);
  const reconstruction = new Float32Array(data.length);
  forEachGroup(weights, groupSize, (row, start, end) => {
    const values = Float64Array.from(data.subarray(row * columns + start, row * columns + end));
    const grid = fitAffineGrid(values, importance.subarray(start, end), options);
    values.forEach((value, i) => {
      reconstruction[row * columns + start + i] = roundToGrid(grid, value);
    });
  });
  const bytes = packedBytes(rows * columns, options.bits) +
    packedBytes(groupCount(weights, groupSize), gridBits(options));
  return { reconstruction, bytes };
}
