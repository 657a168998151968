import { bytesPerElement } from "./dtype.ts";
import { InputError } from "./input_error.ts";
import { encodeSmallFloats, float16, float8E4M3, float8E5M2 } from "./small_float.ts";
import type { DType } from "./tensor.ts";

/**
 * Stores float32 values as little-endian elements, into bytes of its own.
 *
 * Floats round to nearest, ties to even; a value too large becomes infinity, and NaN in F8_E4M3,
 * which has no infinity. What {@linkcode toFloat32} read comes back bit for bit. A value that an
 * integer or BOOL element cannot hold is an {@linkcode InputError} that begins with `where`.
 *
 * ```ts
 * import { fromFloat32 } from "@kanpress/kanpress/data";
 * import assert from "node:assert";
 *
 * assert.deepEqual(fromFloat32("F16", Float32Array.of(1)), Uint8Array.of(0x00, 0x3c));
 * ```
 */
export function fromFloat32(
  dtype: DType,
  values: Float32Array,
  where: string = "tensor",
): Uint8Array {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const bytes = new Uint8Array(values.length * bytesPerElement(dtype));
  const shorts = () => new Uint16Array(bytes.buffer);
  switch (dtype) {
    case "F64":
      new Float64Array(bytes.buffer).set(values);
      return bytes;
    case "F32":
      bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
      return bytes;
    case "F16":
      encodeSmallFloats(float16, words, shorts());
      return bytes;
    case "BF16":
      narrow(words, shorts());
      return bytes;
    case "F8_E4M3":
      encodeSmallFloats(float8E4M3, words, bytes);
      return bytes;
    case "F8_E5M2":
      encodeSmallFloats(float8E5M2, words, bytes);
      return bytes;
    default:
      storeIntegers(dtype, values, bytes, where);
      return bytes;
  }
}

/** Bfloat16 is the upper half of float32, so that rounding is one integer addition. */
function narrow(words: Uint32Array, out: Uint16Array): void {
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    if ((word & 0x7fffffff) > 0x7f800000) {
      const upper = word >>> 16;
      out[i] = (upper & 0x7f) === 0 ? upper | 0x40 : upper;
    } else {
      out[i] = (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
    }
  }
}

type IntegerType = "I64" | "I32" | "I16" | "I8" | "U64" | "U32" | "U16" | "U8" | "BOOL";

function storeIntegers(
  dtype: IntegerType,
  values: Float32Array,
  bytes: Uint8Array,
  where: string,
): void {
  const size = bytesPerElement(dtype);
  const bits = dtype === "BOOL" ? 1 : 8 * size;
  const signed = dtype.startsWith("I");
  const lowest = signed ? -(2 ** (bits - 1)) : 0;
  const end = signed ? 2 ** (bits - 1) : 2 ** bits;
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (!Number.isInteger(value) || value < lowest || value >= end) {
      throw new InputError(
        `${where}: ${value} at element ${i} cannot be stored as ${dtype}; store it as a float`,
      );
    }
    // Integers keep their low bits modulo 2^32, which DataView does for negative numbers too.
    if (size === 1) view.setUint8(i, value);
    else if (size === 2) view.setUint16(2 * i, value, true);
    else if (size === 4) view.setUint32(4 * i, value, true);
    else {
      const high = Math.floor(value / 2 ** 32);
      view.setUint32(8 * i, value - high * 2 ** 32, true);
      view.setUint32(8 * i + 4, high, true);
    }
  }
}
