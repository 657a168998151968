/**
 * kanpress compresses the weights of language models with a hierarchy of Kolmogorov-Arnold levels
 * and measures what each bit costs.
 *
 * @module
 */
export * from "./baselines/mod.ts";
export * from "./data/mod.ts";
export * from "./eval/mod.ts";
export * from "./hierarchy/mod.ts";
export * from "./kan/mod.ts";
