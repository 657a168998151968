import assert from "node:assert";
import fc from "fast-check";
import { bytesPerElement } from "./dtype.ts";
import { fromFloat32 } from "./from_float32.ts";
import type { DType } from "./tensor.ts";
import { toFloat32 } from "./to_float32.ts";

// A slow implementation that shares nothing with the fast one: values by powers of two, rounding
// by searching the sorted list of all finite values.
interface Reference {
  readonly dtype: DType;
  readonly exponentBits: number;
  readonly mantissaBits: number;
  readonly infinities: boolean;
}

const references: readonly Reference[] = [
  { dtype: "F16", exponentBits: 5, mantissaBits: 10, infinities: true },
  { dtype: "BF16", exponentBits: 8, mantissaBits: 7, infinities: true },
  { dtype: "F8_E5M2", exponentBits: 5, mantissaBits: 2, infinities: true },
  { dtype: "F8_E4M3", exponentBits: 4, mantissaBits: 3, infinities: false },
];

function valueOf(reference: Reference, pattern: number): number {
  const { exponentBits, mantissaBits, infinities } = reference;
  const sign = Math.floor(pattern / 2 ** (exponentBits + mantissaBits)) === 1 ? -1 : 1;
  const exponent = Math.floor(pattern / 2 ** mantissaBits) % 2 ** exponentBits;
  const mantissa = pattern % 2 ** mantissaBits;
  const top = exponent === 2 ** exponentBits - 1;
  if (top && infinities) return mantissa === 0 ? sign * Infinity : NaN;
  if (top && mantissa === 2 ** mantissaBits - 1) return NaN;
  const bias = 2 ** (exponentBits - 1) - 1;
  const scale = 2 ** (Math.max(exponent, 1) - bias - mantissaBits);
  return sign * (mantissa + (exponent === 0 ? 0 : 2 ** mantissaBits)) * scale;
}

/** Patterns of one sign are ordered as their values: a binary search finds the nearest. */
function roundSlowly(reference: Reference, value: number): number {
  const bits = reference.exponentBits + reference.mantissaBits;
  const sign = Object.is(value, -0) || value < 0 ? 2 ** bits : 0;
  const magnitude = Math.abs(value);
  const end = reference.infinities
    ? (2 ** reference.exponentBits - 1) * 2 ** reference.mantissaBits
    : 2 ** bits - 1;
  let low = 0;
  let high = end;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (valueOf(reference, middle) <= magnitude) low = middle;
    else high = middle;
  }
  const below = valueOf(reference, low);
  // The value that the first pattern beyond the finite ones would have.
  const above = high === end ? 2 * below - valueOf(reference, low - 1) : valueOf(reference, high);
  const up = magnitude - below > above - magnitude ||
    (magnitude - below === above - magnitude && low % 2 === 1);
  return sign + (up ? high : low);
}

function patternsOf(dtype: DType): Uint8Array {
  if (bytesPerElement(dtype) === 1) return Uint8Array.from({ length: 256 }, (_, i) => i);
  return new Uint8Array(Uint16Array.from({ length: 65536 }, (_, i) => i).buffer);
}

function patternsFrom(dtype: DType, bytes: Uint8Array): Uint8Array | Uint16Array {
  return bytesPerElement(dtype) === 1 ? bytes : new Uint16Array(bytes.buffer);
}

for (const reference of references) {
  const { dtype } = reference;

  Deno.test(`${dtype}: every pattern has its value and comes back bit for bit`, () => {
    const bytes = patternsOf(dtype);
    const values = toFloat32(dtype, bytes);
    values.forEach((value, pattern) => {
      assert(Object.is(value, valueOf(reference, pattern)), `${pattern}: ${value}`);
    });
    assert.deepStrictEqual(fromFloat32(dtype, values), bytes);
  });

  Deno.test(`${dtype}: midpoints and their neighbours round to nearest, ties to even`, () => {
    const finite = toFloat32(dtype, patternsOf(dtype)).filter(Number.isFinite).sort();
    const middles = Float32Array.from(finite.subarray(1), (value, i) => (value + finite[i]!) / 2);
    const words = new Uint32Array(middles.buffer);
    for (const step of [-1, 0, 1]) {
      const values = new Float32Array(words.map((word) => word + step).buffer);
      const rounded = patternsFrom(dtype, fromFloat32(dtype, values));
      values.forEach((value, i) => {
        if (Number.isNaN(value)) return;
        assert.equal(rounded[i], roundSlowly(reference, value), `${value}`);
      });
    }
  });

  Deno.test(`${dtype}: any float32 rounds as the slow implementation says`, () => {
    const word = fc.oneof(fc.integer({ min: 0, max: 0xffffffff }), fc.nat(600).map((n) => n << 22));
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 50 }), (words) => {
        const values = new Float32Array(Uint32Array.from(words).buffer);
        const rounded = patternsFrom(dtype, fromFloat32(dtype, values));
        values.forEach((value, i) => {
          if (Number.isNaN(value)) assert(Number.isNaN(valueOf(reference, rounded[i]!)));
          else assert.equal(rounded[i], roundSlowly(reference, value), `${value}`);
        });
      }),
      { seed: 1, numRuns: 300 },
    );
  });
}

Deno.test("F16 agrees with Float16Array", () => {
  const words = Uint32Array.from({ length: 200_000 }, (_, i) => Math.imul(i, 0x9e3779b1));
  const values = new Float32Array(words.buffer).filter((value) => !Number.isNaN(value));
  const expected = new Float16Array(values);
  assert.deepStrictEqual(fromFloat32("F16", values), new Uint8Array(expected.buffer));
});

Deno.test("8-bit floats: largest values, overflow and ties as in the OCP specification", () => {
  const e4m3 = Float32Array.of(448, 464, 465, Infinity, -1e9, 2 ** -9, 2 ** -10, 3 * 2 ** -11);
  assert.deepStrictEqual(
    fromFloat32("F8_E4M3", e4m3),
    Uint8Array.of(0x7e, 0x7e, 0x7f, 0x7f, 0xff, 0x01, 0x00, 0x01),
  );
  const e5m2 = Float32Array.of(57344, 61439, 61440, -Infinity, 2 ** -16, 2 ** -17, -0);
  assert.deepStrictEqual(
    fromFloat32("F8_E5M2", e5m2),
    Uint8Array.of(0x7b, 0x7b, 0x7c, 0xfc, 0x01, 0x00, 0x80),
  );
});
