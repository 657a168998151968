import { bytesPerElement } from "./dtype.ts";
import { InputError } from "./input_error.ts";
import {
  decodeTable,
  float16,
  float8E4M3,
  float8E5M2,
  type SmallFloatFormat,
} from "./small_float.ts";
import type { DType } from "./tensor.ts";

/**
 * Reads little-endian elements as float32, into an array of its own.
 *
 * F32, F16, BF16 and both 8-bit floats are exact, NaN patterns included; F64 rounds to nearest,
 * ties to even, and must be within the range of float32. Integers must be exact in float32 (all are up to 2^24) and BOOL must be 0 or 1:
 * anything else, or bytes that are not a whole number of elements, is an {@linkcode InputError}
 * that begins with `where`. `first` is the number of the first element, for messages, where the
 * bytes are part of a tensor.
 *
 * ```ts
 * import { toFloat32 } from "@kanpress/kanpress/data";
 * import assert from "node:assert";
 *
 * assert.deepEqual(toFloat32("BF16", Uint8Array.of(0x80, 0x3f)), Float32Array.of(1));
 * ```
 */
export function toFloat32(
  dtype: DType,
  bytes: Uint8Array,
  where: string = "tensor",
  first: number = 0,
): Float32Array {
  if (bytes.length % bytesPerElement(dtype) !== 0) {
    throw new InputError(
      `${where}: ${bytes.length} bytes are not a whole number of ${dtype} values`,
    );
  }
  switch (dtype) {
    case "F64":
      return doubles(new Float64Array(aligned(bytes)), where, first);
    case "F32":
      return new Float32Array(copied(bytes));
    case "F16":
      return lookUp(tableOf(float16), new Uint16Array(aligned(bytes)));
    case "BF16":
      return widen(new Uint16Array(aligned(bytes)));
    case "F8_E4M3":
      return lookUp(tableOf(float8E4M3), bytes);
    case "F8_E5M2":
      return lookUp(tableOf(float8E5M2), bytes);
    case "I64":
    case "U64":
      return wideIntegers(dtype, bytes, where, first);
    case "BOOL":
      return booleans(bytes, where, first);
    default:
      return integers(dtype, bytes, where, first);
  }
}

/** Rounded; what is far from its double is beyond either end of float32. */
function doubles(values: Float64Array, where: string, first: number): Float32Array {
  const result = Float32Array.from(values);
  let changed = 0, total = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (!Number.isFinite(value)) continue;
    if (!Number.isFinite(result[i]!)) {
      throw new InputError(
        `${where}: F64 value ${value} at element ${first + i} is too large for float32; ` +
          `scale the weights or store this tensor as F32`,
      );
    }
    // Magnitudes, since squares of the smallest doubles are 0.
    changed += Math.abs(result[i]! - value);
    total += Math.abs(value);
  }
  if (changed <= LARGEST_CHANGE * total) return result;
  throw new InputError(`${where}: its F64 values are too small for float32; scale the weights`);
}

/** Most that rounding to float32 may change doubles, as a share of their magnitudes. */
const LARGEST_CHANGE = 2 ** -9;

const tables = new Map<SmallFloatFormat, Uint32Array>();

function tableOf(format: SmallFloatFormat): Uint32Array {
  let table = tables.get(format);
  if (table === undefined) {
    table = decodeTable(format);
    tables.set(format, table);
  }
  return table;
}

/** The bytes as a buffer that starts with them, copied. */
function copied(bytes: Uint8Array): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}

/** The bytes as a buffer that holds them only, copied unless it is so already. */
function aligned(bytes: Uint8Array): ArrayBuffer {
  const { buffer, byteLength } = bytes;
  return buffer instanceof ArrayBuffer && buffer.byteLength === byteLength ? buffer : copied(bytes);
}

// Float32 values are written as bit patterns, because a float store may change a NaN's pattern.
function lookUp(table: Uint32Array, patterns: Uint8Array | Uint16Array): Float32Array {
  const words = new Uint32Array(patterns.length);
  for (let i = 0; i < words.length; i++) words[i] = table[patterns[i]!]!;
  return new Float32Array(words.buffer);
}

function widen(patterns: Uint16Array): Float32Array {
  const words = new Uint32Array(patterns.length);
  for (let i = 0; i < words.length; i++) words[i] = patterns[i]! << 16;
  return new Float32Array(words.buffer);
}

function integers(
  dtype: "I32" | "I16" | "I8" | "U32" | "U16" | "U8",
  bytes: Uint8Array,
  where: string,
  first: number,
): Float32Array {
  const arrays = {
    I32: Int32Array,
    I16: Int16Array,
    I8: Int8Array,
    U32: Uint32Array,
    U16: Uint16Array,
    U8: Uint8Array,
  };
  const values = new arrays[dtype](aligned(bytes));
  const result = Float32Array.from(values);
  if (bytesPerElement(dtype) < 4) return result;
  for (let i = 0; i < values.length; i++) {
    if (result[i] !== values[i]) throw inexact(where, dtype, first + i, String(values[i]));
  }
  return result;
}

function wideIntegers(
  dtype: "I64" | "U64",
  bytes: Uint8Array,
  where: string,
  first: number,
): Float32Array {
  const buffer = aligned(bytes);
  const low = new Uint32Array(buffer);
  const high = dtype === "I64" ? new Int32Array(buffer) : low;
  const result = new Float32Array(bytes.length / 8);
  for (let i = 0; i < result.length; i++) {
    const upper = high[2 * i + 1]! * 2 ** 32;
    const sum = upper + low[2 * i]!;
    result[i] = sum;
    // The sum is exact in double precision only where taking away one part gives the other.
    if (result[i] !== sum || sum - upper !== low[2 * i]) {
      const view = new DataView(buffer, 8 * i);
      const value = dtype === "I64" ? view.getBigInt64(0, true) : view.getBigUint64(0, true);
      throw inexact(where, dtype, first + i, String(value));
    }
  }
  return result;
}

function booleans(bytes: Uint8Array, where: string, first: number): Float32Array {
  for (let i = 0; i < bytes.length; i++) {
    if (bytes[i]! > 1) {
      throw new InputError(
        `${where}: BOOL value ${bytes[i]} at element ${first + i} is neither 0 nor 1`,
      );
    }
  }
  return Float32Array.from(bytes);
}

function inexact(where: string, dtype: DType, index: number, value: string): InputError {
  return new InputError(
    `${where}: ${dtype} value ${value} at element ${index} is not exact in float32; ` +
      `leave this tensor out or store it as floats`,
  );
}
