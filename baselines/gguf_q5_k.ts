import type { Matrix } from "../hierarchy/matrix/matrix.ts";
import type { BaselineResult } from "./baseline.ts";
import { quantizeBlocks } from "./gguf_blocks.ts";
import { quantizeSuperBlock, type SuperBlockLayout } from "./super_block.ts";

/** 256 5-bit levels, 8 scales and 8 minima of 6 bits, two f16 steps. */
const LAYOUT = { blockSize: 256, blockBytes: 176 };
const PARTS: SuperBlockLayout = { subBlock: 32, top: 31, scaleTop: 63 };

/**
 * GGUF's Q5_K: super-blocks of 256 weights, eight sub-blocks of 32 with 6-bit scales and minima, 5.5 bits a
 * weight, fitted to the least error weighted by the diagonal of the Hessian.
 *
 * ```ts
 * import { ggufQ5_K } from "@kanpress/kanpress/baselines";
 * import assert from "node:assert";
 *
 * const data = Float32Array.from({ length: 256 }, (_, i) => i % 32);
 * const { reconstruction, bytes } = ggufQ5_K({ name: "w", rows: 1, columns: 256, data });
 * assert.equal(bytes, 176);
 * assert.ok(Math.abs(reconstruction[3]! - 3) < 0.01);
 * ```
 */
export function ggufQ5_K(weights: Matrix, hessian?: Float64Array): BaselineResult {
  return quantizeBlocks(
    weights,
    LAYOUT,
    (values, importance, target) => quantizeSuperBlock(values, importance, target, PARTS),
    hessian,
  );
}
