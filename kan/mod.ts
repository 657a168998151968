/**
 * Kolmogorov-Arnold networks on tfjs.
 *
 * @module
 */
export * from "./bases/basis.ts";
export * from "./bases/bspline.ts";
export * from "./bases/describe.ts";
export * from "./bases/expansion.ts";
export * from "./bases/global_bases.ts";
export * from "./grid.ts";
export * from "./kan_layer.ts";
export * from "./layer_model.ts";
export * from "./least_squares.ts";
export * from "./mat_mul.ts";
export * from "./random.ts";
export * from "./tensor_types.ts";
