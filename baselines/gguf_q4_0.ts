import type { Matrix } from "../hierarchy/matrix/matrix.ts";
import type { BaselineResult } from "./baseline.ts";
import { quantizeBlocks } from "./gguf_blocks.ts";
import { fitScale } from "./weighted_fit.ts";

/** 32 nibbles and an f16 scale. */
const LAYOUT = { blockSize: 32, blockBytes: 18 };

/**
 * GGUF's Q4_0: blocks of 32 weights d · q, q from -8 to 7, 4.5 bits a weight. The scale is searched
 * for the least error weighted by the diagonal of the Hessian.
 *
 * ```ts
 * import { ggufQ4_0 } from "@kanpress/kanpress/baselines";
 * import assert from "node:assert";
 *
 * const data = Float32Array.from({ length: 32 }, (_, i) => i % 16 - 8);
 * const weights = { name: "w", rows: 1, columns: 32, data };
 * assert.deepEqual(ggufQ4_0(weights), { reconstruction: data, bytes: 18 });
 * ```
 */
export function ggufQ4_0(weights: Matrix, hessian?: Float64Array): BaselineResult {
  return quantizeBlocks(weights, LAYOUT, (values, importance, target) => {
    const scale = Math.f16round(fitScale(values, importance, -8, 7).scale);
    for (let i = 0; i < values.length; i++) {
      const level = scale === 0 ? 0 : Math.round(values[i]! / scale);
      target[i] = scale * Math.min(Math.max(level, -8), 7);
    }
  }, hessian);
}
