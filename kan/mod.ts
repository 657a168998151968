/**
 * Kolmogorov-Arnold networks on tfjs.
 *
 * @module
 */
export * from "./random.ts";
