import { roundToFloat16 } from "../data/round_to_float16.ts";
import type { Matrix } from "../hierarchy/matrix/matrix.ts";
import { RansEncoder } from "../hierarchy/entropy/rans.ts";
import { fitAffineGrid, gridBits, roundToGrid } from "./affine_grid.ts";
import {
  type BaselineResult,
  forEachGroup,
  groupCount,
  inputImportance,
  packedBytes,
} from "./baseline.ts";

/** Settings of {@linkcode prune}. */
export interface PruningOptions {
  /** Share of the weights that become 0, from 0 to below 1. */
  readonly sparsity: number;
  /**
   * What makes a weight worth keeping: its magnitude, over the whole matrix; or its magnitude times
   * the root mean square of its input, within its row (Wanda, Sun et al., arXiv 2306.11695).
   */
  readonly score: "magnitude" | "activation";
  /** How the rest is stored; f16 if omitted. */
  readonly quantization?: {
    /** Bits of a weight that is kept, 2 to 8. */
    readonly bits: number;
    /** Positions, zeros included, that share an f16 scale, along a row. */
    readonly groupSize: number;
  };
}

/**
 * Sets the least important weights to 0, and stores the others in f16 or rounded to a symmetric grid
 * whose range is searched. The pattern of zeros is entropy-coded.
 *
 * ```ts
 * import { prune } from "@kanpress/kanpress/baselines";
 * import assert from "node:assert";
 *
 * const weights = { name: "w", rows: 1, columns: 4, data: Float32Array.of(3, -0.5, 0.25, -4) };
 * const { reconstruction } = prune(weights, { sparsity: 0.5, score: "magnitude" });
 * assert.deepEqual([...reconstruction], [3, 0, 0, -4]);
 * ```
 */
export function prune(
  weights: Matrix,
  options: PruningOptions,
  hessian?: Float64Array,
): BaselineResult {
  const { rows, columns, data } = weights;
  const mask = options.score === "magnitude"
    ? keepLargest(data.map(Math.abs), options.sparsity)
    : keepByActivation(weights, options.sparsity, hessian);
  const kept = mask.reduce((sum, bit) => sum + bit, 0);
  const maskBytes = codedMaskBytes(mask, kept);
  if (options.quantization === undefined) {
    const reconstruction = data.map((value, i) => mask[i] === 1 ? roundToFloat16(value) : 0);
    return { reconstruction, bytes: maskBytes + 2 * kept };
  }
  const { bits, groupSize } = options.quantization;
  const grid = { bits, symmetric: true, searchClip: true };
  const importance = inputImportance(columns, hessian);
  const reconstruction = new Float32Array(data.length);
  forEachGroup(weights, groupSize, (row, start, end) => {
    const at: number[] = [];
    for (let j = start; j < end; j++) if (mask[row * columns + j] === 1) at.push(j);
    const values = Float64Array.from(at, (j) => data[row * columns + j]!);
    const fitted = fitAffineGrid(values, Float64Array.from(at, (j) => importance[j]!), grid);
    at.forEach((j, i) => reconstruction[row * columns + j] = roundToGrid(fitted, values[i]!));
  });
  const bytes = maskBytes + packedBytes(kept, bits) +
    packedBytes(groupCount({ rows, columns }, groupSize), gridBits(grid));
  return { reconstruction, bytes };
}

/** 1 for all but a share of the scores, the smallest; ties by position. */
function keepLargest(scores: Float32Array, sparsity: number): Uint8Array {
  const dropped = Math.floor(sparsity * scores.length);
  const mask = new Uint8Array(scores.length).fill(1);
  if (dropped === 0) return mask;
  const threshold = scores.toSorted()[dropped - 1]!;
  let ties = dropped;
  for (const score of scores) if (score < threshold) ties--;
  scores.forEach((score, i) => {
    if (score < threshold || (score === threshold && ties-- > 0)) mask[i] = 0;
  });
  return mask;
}

function keepByActivation(
  { rows, columns, data }: Matrix,
  sparsity: number,
  hessian?: Float64Array,
): Uint8Array {
  const importance = inputImportance(columns, hessian).map((square) => Math.sqrt(square));
  const mask = new Uint8Array(data.length);
  for (let row = 0; row < rows; row++) {
    const scores = data.subarray(row * columns, (row + 1) * columns)
      .map((value, j) => Math.abs(value) * importance[j]!);
    mask.set(keepLargest(scores, sparsity), row * columns);
  }
  return mask;
}

/** Bytes of the pattern of zeros, coded with its one probability, which takes two bytes. */
function codedMaskBytes(mask: Uint8Array, kept: number): number {
  if (kept === mask.length) return 2;
  const share = Math.round(4096 * kept / mask.length);
  const frequency = Math.min(Math.max(share, 1), 4095);
  const encoder = new RansEncoder();
  for (const bit of mask) {
    if (bit === 1) encoder.put(0, frequency);
    else encoder.put(frequency, 4096 - frequency);
  }
  return 2 + encoder.finish().length;
}
