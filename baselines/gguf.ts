import { roundToFloat16 } from "../data/round_to_float16.ts";
import type { Matrix } from "../hierarchy/matrix/matrix.ts";
import type { Baseline, BaselineResult } from "./baseline.ts";
import { type BlockQuantizer, quantizeBlocks } from "./gguf_blocks.ts";
import { quantizeSignedSuperBlock } from "./signed_super_block.ts";
import { quantizeSuperBlock } from "./super_block.ts";
import { fitScale } from "./weighted_fit.ts";

/** How a type of GGUF stores a row: block by block. */
interface GgufLayout {
  /** Weights of a block. */
  readonly blockSize: number;
  /** Bytes of a block, its scales included. */
  readonly blockBytes: number;
  /** Rounds a block to what the type can hold. */
  readonly quantizeBlock: BlockQuantizer;
}

/**
 * Types of GGUF by name, as ggml lays them out. `_0` types have blocks of 32 weights d · q with an f16
 * scale d; `_k` types super-blocks of 256, d · s_b · q − e · m_b or d · s_b · q, with integers s_b and
 * m_b for every sub-block. The figures after the names are bits per weight.
 */
const LAYOUTS: Readonly<Record<string, GgufLayout>> = {
  // 8.5: q in ±127; the largest magnitude sets the scale.
  q8_0: { blockSize: 32, blockBytes: 34, quantizeBlock: roundToLargest },
  // 4.5: q from -8 to 7; the scale is searched.
  q4_0: {
    blockSize: 32,
    blockBytes: 18,
    quantizeBlock: (values, weights, target) => roundToBestScale(values, weights, target, -8, 7),
  },
  // 6.5625: sixteen signed scales of 8 bits.
  q6_k: superBlock(210, { subBlock: 16, lowest: -32, highest: 31, scaleBound: 128 }),
  // 5.5 and 4.5: eight scales and minima of 6 bits.
  q5_k: superBlock(176, { subBlock: 32, top: 31, scaleTop: 63 }),
  q4_k: superBlock(144, { subBlock: 32, top: 15, scaleTop: 63 }),
  // 3.4375: sixteen signed scales of 6 bits.
  q3_k: superBlock(110, { subBlock: 16, lowest: -4, highest: 3, scaleBound: 32 }),
  // 2.625: sixteen scales and minima of 4 bits.
  q2_k: superBlock(84, { subBlock: 16, top: 3, scaleTop: 15 }),
};

function superBlock(
  blockBytes: number,
  parts:
    | Parameters<typeof quantizeSuperBlock>[3]
    | Parameters<typeof quantizeSignedSuperBlock>[3],
): GgufLayout {
  return {
    blockSize: 256,
    blockBytes,
    quantizeBlock: (values, weights, target) =>
      "top" in parts
        ? quantizeSuperBlock(values, weights, target, parts)
        : quantizeSignedSuperBlock(values, weights, target, parts),
  };
}

/**
 * llama.cpp's types by name (`q8_0`, `q6_k`, `q5_k`, `q4_k`, `q4_0`, `q3_k`, `q2_k`), fitted to the
 * least error weighted by the diagonal of the Hessian. Rows are filled up to whole blocks.
 *
 * ```ts
 * import { GGUF_TYPES } from "@kanpress/kanpress/baselines";
 * import assert from "node:assert";
 *
 * const data = Float32Array.from({ length: 32 }, (_, i) => i % 16 - 8);
 * const weights = { name: "w", rows: 1, columns: 32, data };
 * assert.deepEqual(GGUF_TYPES.get("q4_0")!(weights), { reconstruction: data, bytes: 18 });
 * ```
 */
export const GGUF_TYPES: ReadonlyMap<string, Baseline> = new Map(
  Object.entries(LAYOUTS).map(([name, layout]) => [
    name,
    (weights: Matrix, hessian?: Float64Array): BaselineResult =>
      quantizeBlocks(weights, layout, layout.quantizeBlock, hessian),
  ]),
);

function roundToLargest(values: Float64Array, _weights: Float64Array, target: Float32Array): void {
  const largest = values.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
  const inverse = largest > 0 ? 127 / largest : 0;
  const scale = roundToFloat16(largest / 127);
  for (let i = 0; i < values.length; i++) target[i] = scale * Math.round(values[i]! * inverse);
}

function roundToBestScale(
  values: Float64Array,
  weights: Float64Array,
  target: Float32Array,
  lowest: number,
  highest: number,
): void {
  const scale = roundToFloat16(fitScale(values, weights, lowest, highest).scale);
  for (let i = 0; i < values.length; i++) {
    const integer = scale === 0 ? 0 : Math.round(values[i]! / scale);
    target[i] = scale * Math.min(Math.max(integer, lowest), highest);
  }
}
