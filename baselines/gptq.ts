import type { Matrix } from "../hierarchy/matrix/matrix.ts";
import { upperFactor } from "../hierarchy/metric/upper_factor.ts";
import { type AffineGrid, fitAffineGrid, gridBits, roundToGrid } from "./affine_grid.ts";
import { type BaselineResult, groupCount, inputImportance, packedBytes } from "./baseline.ts";
import type { RoundToNearestOptions } from "./round_to_nearest.ts";

/** Settings of {@linkcode gptq}. */
export interface GptqOptions extends RoundToNearestOptions {
  /**
   * Quantize the inputs of the largest mean square first. Groups keep their columns, their grids
   * fixed beforehand ("static groups"), so that no order has to be stored.
   */
  readonly activationOrder: boolean;
  /** Share of the mean of the Hessian's diagonal that is added to it; 0.01 by default. */
  readonly damping?: number;
}

/**
 * GPTQ (Frantar et al., arXiv 2210.17323): rounds column after column, and moves the error of each
 * onto the columns that are still to come, where the Hessian says that it costs least. Without a
 * Hessian it is rounding to nearest.
 *
 * ```ts
 * import { gptq } from "@kanpress/kanpress/baselines";
 * import assert from "node:assert";
 *
 * // Two inputs that are nearly equal: what one column loses, the other makes good.
 * const weights = { name: "w", rows: 1, columns: 2, data: Float32Array.of(0.4, 3) };
 * const options = { bits: 2, symmetric: false, searchClip: false, groupSize: 2 };
 * const hessian = Float64Array.of(1, 0.99, 0.99, 1);
 * const { reconstruction } = gptq(weights, { ...options, activationOrder: false }, hessian);
 * assert.deepEqual([...reconstruction], [0, 3]);
 * ```
 */
export function gptq(
  weights: Matrix,
  options: GptqOptions,
  hessian?: Float64Array,
): BaselineResult {
  const { rows, columns, data } = weights;
  const groupSize = Math.min(options.groupSize, columns);
  const importance = inputImportance(columns, hessian);
  const order = columnOrder(importance, options.activationOrder);
  const feedback = feedbackMatrix(columns, order, options.damping ?? 0.01, hessian);
  const reconstruction = new Float32Array(data.length);
  const targets = new Float64Array(columns);
  for (let row = 0; row < rows; row++) {
    for (let j = 0; j < columns; j++) targets[j] = data[row * columns + j]!;
    const grids: AffineGrid[] = [];
    const fitGrid = (group: number) => {
      const start = group * groupSize, end = Math.min(columns, start + groupSize);
      const weightsOf = importance.subarray(start, end);
      return fitAffineGrid(targets.subarray(start, end), weightsOf, options);
    };
    if (options.activationOrder) {
      for (let group = 0; group * groupSize < columns; group++) grids.push(fitGrid(group));
    }
    for (let k = 0; k < columns; k++) {
      const column = order[k]!;
      const group = Math.floor(column / groupSize);
      const grid = grids[group] ??= fitGrid(group);
      const rounded = roundToGrid(grid, targets[column]!);
      reconstruction[row * columns + column] = rounded;
      const error = data[row * columns + column]! - rounded;
      for (let j = k + 1; j < columns; j++) {
        targets[order[j]!]! += error * feedback[k * columns + j]!;
      }
    }
  }
  const bytes = packedBytes(rows * columns, options.bits) +
    packedBytes(groupCount(weights, groupSize), gridBits(options));
  return { reconstruction, bytes };
}

function columnOrder(importance: Float64Array, byActivation: boolean): Int32Array {
  const order = Int32Array.from(importance, (_, j) => j);
  return byActivation ? order.sort((a, b) => importance[b]! - importance[a]! || a - b) : order;
}

/**
 * With H = U Uᵀ in the order of quantization, U upper triangular, the loss of a row error e is
 * |e U|² = Σ_j U_jj² (e_j + Σ_{k<j} e_k U_kj / U_jj)²; so column j is to round to
 * w_j + Σ_{k<j} e_k M_kj with M = U diag(U)⁻¹. Gives M.
 */
function feedbackMatrix(
  columns: number,
  order: Int32Array,
  damping: number,
  hessian?: Float64Array,
): Float64Array {
  if (hessian === undefined) return new Float64Array(columns * columns);
  const permuted = new Float64Array(columns * columns);
  for (let i = 0; i < columns; i++) {
    for (let j = 0; j < columns; j++) {
      permuted[i * columns + j] = hessian[order[i]! * columns + order[j]!]!;
    }
  }
  const factor = upperFactor(permuted, columns, damping);
  return factor.map((value, at) => value / factor[(at % columns) * (columns + 1)]!);
}
