import type { Matrix } from "../hierarchy/matrix/matrix.ts";
import type { BaselineResult } from "./baseline.ts";
import { quantizeBlocks } from "./gguf_blocks.ts";
import { quantizeSuperBlock, type SuperBlockLayout } from "./super_block.ts";

/** 256 2-bit levels, 16 scales and 16 minima of 4 bits, two f16 steps. */
const LAYOUT = { blockSize: 256, blockBytes: 84 };
const PARTS: SuperBlockLayout = { subBlock: 16, top: 3, scaleTop: 15 };

/**
 * GGUF's Q2_K: super-blocks of 256 weights, sixteen sub-blocks of 16 with 4-bit scales and minima, 2.625 bits a
 * weight, fitted to the least error weighted by the diagonal of the Hessian.
 *
 * ```ts
 * import { ggufQ2_K } from "@kanpress/kanpress/baselines";
 * import assert from "node:assert";
 *
 * const data = Float32Array.from({ length: 256 }, (_, i) => i % 4);
 * const { reconstruction, bytes } = ggufQ2_K({ name: "w", rows: 1, columns: 256, data });
 * assert.equal(bytes, 84);
 * assert.ok(Math.abs(reconstruction[3]! - 3) < 0.01);
 * ```
 */
export function ggufQ2_K(weights: Matrix, hessian?: Float64Array): BaselineResult {
  return quantizeBlocks(
    weights,
    LAYOUT,
    (values, importance, target) => quantizeSuperBlock(values, importance, target, PARTS),
    hessian,
  );
}
