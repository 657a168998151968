import type { Matrix } from "../levels/level.ts";
import type { BaselineResult } from "./baseline.ts";
import { quantizeBlocks } from "./gguf_blocks.ts";
import { fitScale } from "./weighted_fit.ts";

/** 256 3-bit levels, 16 signed scales of 6 bits, an f16 step. */
const LAYOUT = { blockSize: 256, blockBytes: 110 };
const SUB_BLOCK = 16, LOWEST = -4, HIGHEST = 3, SCALE_BOUND = 32;

/** Rounds of fitting the f16 step to the levels, and the levels to the step. */
const REFINEMENTS = 3;

/**
 * GGUF's Q3_K: super-blocks of 256 weights d · s_b · q, sixteen sub-blocks of 16 with signed 6-bit
 * scales, q from -4 to 3, 3.4375 bits a weight, fitted to the least error weighted by the diagonal
 * of the Hessian.
 *
 * ```ts
 * import { ggufQ3_K } from "@kanpress/kanpress/hierarchy";
 * import assert from "node:assert";
 *
 * const data = Float32Array.from({ length: 256 }, (_, i) => i % 8 - 4);
 * const { reconstruction, bytes } = ggufQ3_K({ name: "w", rows: 1, columns: 256, data });
 * assert.equal(bytes, 110);
 * assert.ok(Math.abs(reconstruction[0]! + 4) < 0.01);
 * ```
 */
export function ggufQ3_K(weights: Matrix, hessian?: Float64Array): BaselineResult {
  return quantizeBlocks(weights, LAYOUT, quantizeSuperBlock, hessian);
}

function quantizeSuperBlock(
  values: Float64Array,
  weights: Float64Array,
  target: Float32Array,
): void {
  const wanted = Array.from({ length: values.length / SUB_BLOCK }, (_, b) => {
    const from = b * SUB_BLOCK, to = from + SUB_BLOCK;
    return fitScale(values.subarray(from, to), weights.subarray(from, to), LOWEST, HIGHEST).scale;
  });
  // The scale of the largest magnitude becomes -32, the end that reaches further.
  const largest = wanted.reduce((a, b) => Math.abs(b) > Math.abs(a) ? b : a, 0);
  let step = Math.f16round(-largest / SCALE_BOUND);
  const scales = wanted.map((scale) => {
    const integer = step === 0 ? 0 : Math.round(scale / step);
    return Math.min(Math.max(integer, -SCALE_BOUND), SCALE_BOUND - 1);
  });
  let bestError = Infinity;
  for (let round = 0; round <= REFINEMENTS; round++) {
    const reconstruction = target.slice();
    let error = 0, cross = 0, square = 0;
    for (let i = 0; i < values.length; i++) {
      const scale = scales[Math.floor(i / SUB_BLOCK)]!;
      const level = step * scale === 0 ? 0 : Math.round(values[i]! / (step * scale));
      const integer = scale * Math.min(Math.max(level, LOWEST), HIGHEST);
      reconstruction[i] = step * integer;
      error += weights[i]! * (values[i]! - step * integer) ** 2;
      cross += weights[i]! * values[i]! * integer;
      square += weights[i]! * integer * integer;
    }
    if (!(error < bestError)) return;
    bestError = error;
    target.set(reconstruction);
    if (square === 0) return;
    step = Math.f16round(cross / square);
  }
}
