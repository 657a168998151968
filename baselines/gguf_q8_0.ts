import type { Matrix } from "../hierarchy/matrix/matrix.ts";
import type { BaselineResult } from "./baseline.ts";
import { quantizeBlocks } from "./gguf_blocks.ts";

/** 32 signed bytes and an f16 scale. */
const LAYOUT = { blockSize: 32, blockBytes: 34 };

/**
 * GGUF's Q8_0: blocks of 32 weights d · q, q in ±127, 8.5 bits a weight.
 *
 * ```ts
 * import { ggufQ8_0 } from "@kanpress/kanpress/baselines";
 * import assert from "node:assert";
 *
 * const weights = { name: "w", rows: 1, columns: 32, data: new Float32Array(32).fill(127) };
 * assert.deepEqual(ggufQ8_0(weights), { reconstruction: weights.data, bytes: 34 });
 * ```
 */
export function ggufQ8_0(weights: Matrix): BaselineResult {
  return quantizeBlocks(weights, LAYOUT, (values, _, target) => {
    const largest = values.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
    const inverse = largest > 0 ? 127 / largest : 0;
    const scale = Math.f16round(largest / 127);
    for (let i = 0; i < values.length; i++) target[i] = scale * Math.round(values[i]! * inverse);
  });
}
