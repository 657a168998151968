import type { DType } from "./tensor.ts";

const sizes: Readonly<Record<DType, number>> = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  F8_E4M3: 1,
  F8_E5M2: 1,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U64: 8,
  U32: 4,
  U16: 2,
  U8: 1,
  BOOL: 1,
};

/** Every element type, widest floats first. */
export const dtypes: readonly DType[] = Object.freeze(Object.keys(sizes) as DType[]);

/**
 * Bytes of one element.
 *
 * ```ts
 * import { bytesPerElement } from "./dtype.ts";
 * import assert from "node:assert";
 *
 * assert.equal(bytesPerElement("BF16"), 2);
 * ```
 */
export function bytesPerElement(dtype: DType): number {
  return sizes[dtype];
}

/** Whether a string names an element type that kanpress reads. */
export function isDType(text: string): text is DType {
  return Object.hasOwn(sizes, text);
}
