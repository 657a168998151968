/**
 * Other ways to quantize weights, to measure the compressor against: rounding to nearest, GPTQ, HQQ,
 * SINQ, NF4, pruning and llama.cpp's types.
 *
 * ```ts
 * import { BASELINES } from "@kanpress/kanpress/baselines";
 * import assert from "node:assert";
 *
 * const data = Float32Array.from({ length: 512 }, (_, i) => Math.sin(i * i));
 * const weights = { name: "w", rows: 2, columns: 256, data };
 * const { reconstruction, bytes } = BASELINES.get("rtn-clip-4-g64")!(weights);
 * assert.equal(reconstruction.length, data.length);
 * assert.ok(bytes < data.length);
 * ```
 *
 * @module
 */
export type { Matrix, RowColumnSteps } from "../hierarchy/matrix/matrix.ts";
export type { AffineGridOptions } from "./affine_grid.ts";
export type { Baseline, BaselineResult } from "./baseline.ts";
export * from "./baselines.ts";
export {
  type BaselineModel,
  type BaselineOptions,
  compressWithBaseline,
} from "./compress_with_baseline.ts";
export * from "./dual_scale.ts";
export { GGUF_TYPES } from "./gguf.ts";
export * from "./gptq.ts";
export * from "./half_quadratic.ts";
export * from "./normal_float.ts";
export * from "./pruning.ts";
export * from "./round_to_nearest.ts";
