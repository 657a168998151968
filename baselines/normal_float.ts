import type { Matrix } from "../hierarchy/matrix/matrix.ts";
import { type BaselineResult, packedBytes } from "./baseline.ts";

/** Settings of {@linkcode normalFloat4}. */
export interface NormalFloatOptions {
  /** Weights that share a scale, in storage order; 64 in QLoRA. */
  readonly blockSize: number;
  /** Store the scales in 8 bits, with an f32 step for every 256 and one f32 mean; else in f32. */
  readonly doubleQuantization: boolean;
}

/** Scales that share a step in double quantization. */
const SCALE_BLOCK = 256;

/**
 * The values of NF4 (Dettmers et al., arXiv 2305.14314): quantiles of the normal distribution, seven
 * below zero and eight above, scaled to [-1, 1].
 */
export const NORMAL_FLOAT_VALUES: readonly number[] = [
  -1,
  -0.6961928009986877,
  -0.5250730514526367,
  -0.39491748809814453,
  -0.28444138169288635,
  -0.18477343022823334,
  -0.09105003625154495,
  0,
  0.07958029955625534,
  0.16093020141124725,
  0.24611230194568634,
  0.33791524171829224,
  0.44070982933044434,
  0.5626170039176941,
  0.7229568362236023,
  1,
];

/**
 * NF4: blocks are divided by their largest magnitude and rounded to quantiles of the normal
 * distribution, 4 bits per weight.
 *
 * ```ts
 * import { normalFloat4 } from "@kanpress/kanpress/baselines";
 * import assert from "node:assert";
 *
 * const weights = { name: "w", rows: 1, columns: 3, data: Float32Array.of(2, -0.05, -2) };
 * const options = { blockSize: 64, doubleQuantization: false };
 * assert.deepEqual([...normalFloat4(weights, options).reconstruction], [2, 0, -2]);
 * ```
 */
export function normalFloat4(weights: Matrix, options: NormalFloatOptions): BaselineResult {
  const { data } = weights;
  const { blockSize, doubleQuantization } = options;
  const blocks = Math.ceil(data.length / blockSize);
  const scales = new Float32Array(blocks);
  data.forEach((value, i) => {
    const block = Math.floor(i / blockSize);
    scales[block] = Math.max(scales[block]!, Math.abs(value));
  });
  const stored = doubleQuantization ? quantizeScales(scales) : scales;
  const reconstruction = data.map((value, i) => {
    const scale = stored[Math.floor(i / blockSize)]!;
    return scale > 0 ? scale * nearestLevel(value / scale) : 0;
  });
  const scaleBytes = doubleQuantization
    ? blocks + 4 * Math.ceil(blocks / SCALE_BLOCK) + 4
    : 4 * blocks;
  return { reconstruction, bytes: packedBytes(data.length, 4) + scaleBytes };
}

/** Signed 8-bit integers around the mean, with a step for every 256. */
function quantizeScales(scales: Float32Array): Float32Array {
  const mean = Math.fround(scales.reduce((sum, scale) => sum + scale, 0) / scales.length);
  const stored = new Float32Array(scales.length);
  for (let start = 0; start < scales.length; start += SCALE_BLOCK) {
    const block = scales.subarray(start, start + SCALE_BLOCK);
    let largest = 0;
    for (const scale of block) largest = Math.max(largest, Math.abs(scale - mean));
    const step = Math.fround(largest / 127);
    block.forEach((scale, i) => {
      const integer = step > 0 ? Math.round((scale - mean) / step) : 0;
      stored[start + i] = mean + step * Math.min(Math.max(integer, -127), 127);
    });
  }
  return stored;
}

function nearestLevel(value: number): number {
  let low = 0, high = NORMAL_FLOAT_VALUES.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (value < NORMAL_FLOAT_VALUES[middle]!) high = middle;
    else low = middle;
  }
  const below = NORMAL_FLOAT_VALUES[low]!, above = NORMAL_FLOAT_VALUES[high]!;
  return value - below <= above - value ? below : above;
}
