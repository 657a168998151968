/**
 * Other ways to quantize weights, peers that the levels are measured against: rounding to nearest, GPTQ,
 * HQQ, SINQ, NF4, pruning and llama.cpp's types.
 *
 * @module
 */
export * from "./baseline.ts";
export * from "./baselines.ts";
export * from "./compress_with_baseline.ts";
export * from "./dual_scale.ts";
export * from "./gguf_q2_k.ts";
export * from "./gguf_q3_k.ts";
export * from "./gguf_q4_0.ts";
export * from "./gguf_q4_k.ts";
export * from "./gguf_q5_k.ts";
export * from "./gguf_q6_k.ts";
export * from "./gguf_q8_0.ts";
export * from "./gptq.ts";
export * from "./half_quadratic.ts";
export * from "./normal_float.ts";
export * from "./pruning.ts";
export * from "./round_to_nearest.ts";
export type { AffineGridOptions } from "./affine_grid.ts";
