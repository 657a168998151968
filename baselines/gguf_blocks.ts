import type { Matrix } from "../hierarchy/matrix/matrix.ts";
import { type BaselineResult, inputImportance } from "./baseline.ts";

/** Gives the values that a reader sees of one block, written into `target`. */
export type BlockQuantizer = (
  values: Float64Array,
  weights: Float64Array,
  target: Float32Array,
) => void;

/**
 * Codes every row in blocks of `blockSize` weights and `blockBytes` bytes, the last one padded with
 * zeros. Errors are weighted as llama.cpp does with an importance matrix: by the input's mean
 * square times √(2 mean(w²) + w²), so that large weights count for more.
 */
export function quantizeBlocks(
  { rows, columns, data }: Matrix,
  { blockSize, blockBytes }: { readonly blockSize: number; readonly blockBytes: number },
  quantizeBlock: BlockQuantizer,
  hessian?: Float64Array,
): BaselineResult {
  const importance = inputImportance(columns, hessian);
  const reconstruction = new Float32Array(data.length);
  const perRow = Math.ceil(columns / blockSize);
  const values = new Float64Array(blockSize), weights = new Float64Array(blockSize);
  const target = new Float32Array(blockSize);
  for (let row = 0; row < rows; row++) {
    for (let block = 0; block < perRow; block++) {
      const start = block * blockSize;
      const count = Math.min(blockSize, columns - start);
      values.fill(0);
      values.set(data.subarray(row * columns + start, row * columns + start + count));
      weightLargeValues(values, count, weights);
      for (let i = 0; i < count; i++) weights[i]! *= importance[start + i]!;
      quantizeBlock(values, weights, target);
      reconstruction.set(target.subarray(0, count), row * columns + start);
    }
  }
  return { reconstruction, bytes: rows * perRow * blockBytes };
}

/** Weights of a block's errors by its first `count` values, √(2 mean(w²) + w²); 0 for the others. */
export function weightLargeValues(
  values: Float64Array,
  count: number,
  weights: Float64Array,
): void {
  let squares = 0;
  for (let i = 0; i < count; i++) squares += values[i]! * values[i]!;
  const spread = 2 * squares / count;
  weights.fill(0);
  for (let i = 0; i < count; i++) weights[i] = Math.sqrt(spread + values[i]! * values[i]!);
}
