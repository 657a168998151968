import type { Matrix } from "../hierarchy/matrix/matrix.ts";
import type { BaselineResult } from "./baseline.ts";
import { quantizeBlocks } from "./gguf_blocks.ts";
import { quantizeSignedSuperBlock, type SignedSuperBlockLayout } from "./signed_super_block.ts";

/** 256 6-bit levels, 16 signed scales of 8 bits, an f16 step. */
const LAYOUT = { blockSize: 256, blockBytes: 210 };
const PARTS: SignedSuperBlockLayout = { subBlock: 16, lowest: -32, highest: 31, scaleBound: 128 };

/**
 * GGUF's Q6_K: super-blocks of 256 weights d · s_b · q, sixteen sub-blocks of 16 with signed 8-bit
 * scales, q from -32 to 31, 6.5625 bits a weight, fitted to the least error weighted by the diagonal
 * of the Hessian.
 *
 * ```ts
 * import { ggufQ6_K } from "@kanpress/kanpress/baselines";
 * import assert from "node:assert";
 *
 * const data = Float32Array.from({ length: 256 }, (_, i) => i % 64 - 32);
 * const { reconstruction, bytes } = ggufQ6_K({ name: "w", rows: 1, columns: 256, data });
 * assert.equal(bytes, 210);
 * assert.ok(Math.abs(reconstruction[0]! + 32) < 0.1);
 * ```
 */
export function ggufQ6_K(weights: Matrix, hessian?: Float64Array): BaselineResult {
  return quantizeBlocks(
    weights,
    LAYOUT,
    (values, importance, target) => quantizeSignedSuperBlock(values, importance, target, PARTS),
    hessian,
  );
}
