/**
 * Reading and writing models: safetensors, byte sources, tokenizers, the hub.
 *
 * @module
 */
export * from "./input_error.ts";
export * from "./tensor.ts";
