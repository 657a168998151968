/**
 * The compressor: levels, quantization, entropy coding and the file.
 *
 * @module
 */
export * from "./levels/level.ts";
