import assert from "node:assert";
import fc from "fast-check";
import { bytesPerElement, dtypes } from "./dtype.ts";
import { fromFloat32 } from "./from_float32.ts";
import { InputError } from "./input_error.ts";
import type { DType } from "./tensor.ts";
import { toFloat32 } from "./to_float32.ts";

type Setter = (view: DataView, offset: number, value: number) => void;

const setters: ReadonlyMap<DType, Setter> = new Map<DType, Setter>([
  ["I64", (view, offset, value) => view.setBigInt64(offset, BigInt(value), true)],
  ["U64", (view, offset, value) => view.setBigUint64(offset, BigInt(value), true)],
  ["I32", (view, offset, value) => view.setInt32(offset, value, true)],
  ["U32", (view, offset, value) => view.setUint32(offset, value, true)],
  ["I16", (view, offset, value) => view.setInt16(offset, value, true)],
  ["U16", (view, offset, value) => view.setUint16(offset, value, true)],
  ["I8", (view, offset, value) => view.setInt8(offset, value)],
  ["U8", (view, offset, value) => view.setUint8(offset, value)],
  ["F64", (view, offset, value) => view.setFloat64(offset, value, true)],
  ["F32", (view, offset, value) => view.setFloat32(offset, value, true)],
]);

function bytesOf(dtype: DType, values: readonly number[]): Uint8Array {
  const size = bytesPerElement(dtype);
  const view = new DataView(new ArrayBuffer(values.length * size));
  values.forEach((value, i) => setters.get(dtype)!(view, i * size, value));
  return new Uint8Array(view.buffer);
}

function boundsOf(dtype: DType): [number, number] {
  const bits = Math.min(8 * bytesPerElement(dtype), 25);
  return dtype.startsWith("I") ? [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1] : [0, 2 ** bits / 2 - 1];
}

for (const dtype of setters.keys()) {
  Deno.test(`${dtype}: small integers convert both ways as DataView stores them`, () => {
    const [min, max] = boundsOf(dtype);
    const numbers = fc.array(fc.integer({ min, max }), { maxLength: 40 });
    fc.assert(
      fc.property(numbers, fc.nat(8), (values, offset) => {
        const stored = bytesOf(dtype, [0, ...values, min, max]);
        const shifted = new Uint8Array(offset + stored.length);
        shifted.set(stored, offset);
        const floats = toFloat32(dtype, shifted.subarray(offset));
        assert.deepStrictEqual([...floats], [0, ...values, min, max]);
        assert.deepStrictEqual(fromFloat32(dtype, floats), stored);
      }),
      { seed: 2, numRuns: 60 },
    );
  });
}

Deno.test("64-bit integers beyond 2^24 are read where they are exact, and refused otherwise", () => {
  const exact = BigInt64Array.of(-(2n ** 63n), 2n ** 62n, 2n ** 40n + 2n ** 20n, -1n);
  const bytes = new Uint8Array(exact.buffer);
  const values = toFloat32("I64", bytes);
  assert.deepStrictEqual([...values], [-(2 ** 63), 2 ** 62, 2 ** 40 + 2 ** 20, -1]);
  assert.deepStrictEqual(fromFloat32("I64", values), bytes);
  for (const bad of [2n ** 24n + 1n, 2n ** 60n + 1n, -(2n ** 62n) - 1n]) {
    const stored = new Uint8Array(BigInt64Array.of(0n, bad).buffer);
    assert.throws(() => toFloat32("I64", stored, 'm: tensor "t"'), {
      name: "InputError",
      message: `m: tensor "t": I64 value ${bad} at element 1 is not exact in float32; ` +
        "leave this tensor out or store it as floats",
    });
  }
  const top = new Uint8Array(BigUint64Array.of(2n ** 64n - 1n).buffer);
  assert.throws(() => toFloat32("U64", top), InputError);
  assert.throws(() => toFloat32("I32", new Uint8Array(Int32Array.of(16777217).buffer)), InputError);
  assert.throws(() => toFloat32("U32", new Uint8Array(Uint32Array.of(2 ** 32 - 1).buffer)), {
    message: /U32 value 4294967295 at element 0/,
  });
});

Deno.test("F64 rounds to the nearest float32, ties to even", () => {
  const doubles = Float64Array.of(1 + 2 ** -24, 1 + 3 * 2 ** -24, 0.1, Infinity, -0, NaN);
  const values = toFloat32("F64", new Uint8Array(doubles.buffer));
  assert.deepStrictEqual([...values], [1, 1 + 2 ** -22, Math.fround(0.1), Infinity, -0, NaN]);
  assert.deepStrictEqual(toFloat32("F64", fromFloat32("F64", values)), values);
});

Deno.test("F32 NaN patterns come back bit for bit", () => {
  const bytes = new Uint8Array(Uint32Array.of(0x7f800001, 0xffc12345, 0x7fffffff).buffer);
  assert.deepStrictEqual(fromFloat32("F32", toFloat32("F32", bytes)), bytes);
});

Deno.test("a conversion never shares memory with what it was given", () => {
  for (const dtype of dtypes) {
    const bytes = new Uint8Array(16);
    const values = toFloat32(dtype, bytes);
    assert.notEqual(values.buffer, bytes.buffer);
    assert.notEqual(fromFloat32(dtype, values).buffer, values.buffer);
  }
});

Deno.test("BOOL is 0 or 1, in and out", () => {
  assert.deepStrictEqual([...toFloat32("BOOL", Uint8Array.of(0, 1))], [0, 1]);
  assert.deepStrictEqual(fromFloat32("BOOL", Float32Array.of(1, 0)), Uint8Array.of(1, 0));
  assert.throws(() => toFloat32("BOOL", Uint8Array.of(2)), /BOOL value 2 at element 0/);
  assert.throws(() => fromFloat32("BOOL", Float32Array.of(2)), InputError);
});

Deno.test("values that an integer type cannot hold are refused", () => {
  for (const [dtype, value] of [["I8", 128], ["U8", -1], ["I32", 0.5], ["U64", NaN]] as const) {
    assert.throws(() => fromFloat32(dtype, Float32Array.of(value), "w"), {
      message: `w: ${value} at element 0 cannot be stored as ${dtype}; store it as a float`,
    });
  }
});

Deno.test("bytes that are not a whole number of elements are refused", () => {
  assert.throws(
    () => toFloat32("F32", new Uint8Array(7), "w"),
    /w: 7 bytes are not a whole number/,
  );
});

Deno.test("doubles beyond either end of float32 are refused, and lost beside larger ones", () => {
  const read = (...values: number[]) =>
    toFloat32("F64", new Uint8Array(Float64Array.from(values).buffer), 'm: tensor "w"', 10);
  assert.deepEqual(read(1, -1e-300, 0), Float32Array.of(1, -0, 0));
  // What is not finite is refused elsewhere, by its own name.
  assert.deepEqual([...read(NaN, Infinity)], [NaN, Infinity]);
  assert.throws(
    () => read(1, 1e300),
    /^InputError: m: tensor "w": F64 value 1e\+300 at element 11 is too large for float32;/,
  );
  for (const small of [1e-50, 5e-324]) {
    assert.throws(() => read(small, -small), /"w": its F64 values are too small for float32/);
  }
});
