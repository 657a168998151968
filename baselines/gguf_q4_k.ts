import type { Matrix } from "../hierarchy/matrix/matrix.ts";
import type { BaselineResult } from "./baseline.ts";
import { quantizeBlocks } from "./gguf_blocks.ts";
import { quantizeSuperBlock, type SuperBlockLayout } from "./super_block.ts";

/** 256 nibbles, 8 scales and 8 minima of 6 bits, two f16 steps. */
const LAYOUT = { blockSize: 256, blockBytes: 144 };
const PARTS: SuperBlockLayout = { subBlock: 32, top: 15, scaleTop: 63 };

/**
 * GGUF's Q4_K: super-blocks of 256 weights, eight sub-blocks of 32 with 6-bit scales and minima, 4.5 bits a
 * weight, fitted to the least error weighted by the diagonal of the Hessian.
 *
 * ```ts
 * import { ggufQ4_K } from "@kanpress/kanpress/baselines";
 * import assert from "node:assert";
 *
 * const data = Float32Array.from({ length: 256 }, (_, i) => i % 16);
 * const { reconstruction, bytes } = ggufQ4_K({ name: "w", rows: 1, columns: 256, data });
 * assert.equal(bytes, 144);
 * assert.ok(Math.abs(reconstruction[3]! - 3) < 0.01);
 * ```
 */
export function ggufQ4_K(weights: Matrix, hessian?: Float64Array): BaselineResult {
  return quantizeBlocks(
    weights,
    LAYOUT,
    (values, importance, target) => quantizeSuperBlock(values, importance, target, PARTS),
    hessian,
  );
}
