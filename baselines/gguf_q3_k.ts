import type { Matrix } from "../hierarchy/matrix/matrix.ts";
import type { BaselineResult } from "./baseline.ts";
import { quantizeBlocks } from "./gguf_blocks.ts";
import { quantizeSignedSuperBlock, type SignedSuperBlockLayout } from "./signed_super_block.ts";

/** 256 3-bit levels, 16 signed scales of 6 bits, an f16 step. */
const LAYOUT = { blockSize: 256, blockBytes: 110 };
const PARTS: SignedSuperBlockLayout = { subBlock: 16, lowest: -4, highest: 3, scaleBound: 32 };

/**
 * GGUF's Q3_K: super-blocks of 256 weights d · s_b · q, sixteen sub-blocks of 16 with signed 6-bit
 * scales, q from -4 to 3, 3.4375 bits a weight, fitted to the least error weighted by the diagonal
 * of the Hessian.
 *
 * ```ts
 * import { ggufQ3_K } from "@kanpress/kanpress/baselines";
 * import assert from "node:assert";
 *
 * const data = Float32Array.from({ length: 256 }, (_, i) => i % 8 - 4);
 * const { reconstruction, bytes } = ggufQ3_K({ name: "w", rows: 1, columns: 256, data });
 * assert.equal(bytes, 110);
 * assert.ok(Math.abs(reconstruction[0]! + 4) < 0.01);
 * ```
 */
export function ggufQ3_K(weights: Matrix, hessian?: Float64Array): BaselineResult {
  return quantizeBlocks(
    weights,
    LAYOUT,
    (values, importance, target) => quantizeSignedSuperBlock(values, importance, target, PARTS),
    hessian,
  );
}
