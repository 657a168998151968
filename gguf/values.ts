import type { GgufValue } from "../data/gguf/metadata_value.ts";

/** A whole number from 0 on as metadata. */
export function count(value: number): GgufValue {
  return { type: "UINT32", value };
}

/** A number as metadata, rounded to float32. */
export function float(value: number): GgufValue {
  return { type: "FLOAT32", value };
}

/** A text as metadata. */
export function text(value: string): GgufValue {
  return { type: "STRING", value };
}

/** A truth value as metadata. */
export function flag(value: boolean): GgufValue {
  return { type: "BOOL", value };
}

/** A list of texts as metadata. */
export function texts(values: readonly string[]): GgufValue {
  return { type: "ARRAY", elements: { type: "STRING", values } };
}

/** A list of integers as metadata. */
export function integers(values: readonly number[]): GgufValue {
  return { type: "ARRAY", elements: { type: "INT32", values } };
}

/** A list of numbers as metadata, rounded to float32. */
export function floats(values: readonly number[]): GgufValue {
  return { type: "ARRAY", elements: { type: "FLOAT32", values } };
}
