import assert from "node:assert";
import { narrowsSafely } from "./narrowing.ts";

/** Values of about that size, of both signs and in no order. */
function spread(size: number): Float32Array {
  return Float32Array.from({ length: 100_000 }, (_, i) => 1.5 * size * Math.sin(i * i));
}

Deno.test("narrowing is safe within the range of a type, and not at either end of it", () => {
  for (const deviation of [1e-5, 1e-3, 0.02, 1, 1000]) {
    assert.ok(narrowsSafely("F16", spread(deviation)), `${deviation}`);
  }
  for (const deviation of [1e-30, 1e-8, 1e-6, 5e4, 1e30]) {
    assert.ok(!narrowsSafely("F16", spread(deviation)), `${deviation}`);
  }
  for (const deviation of [1e-35, 1e-8, 1, 1e30]) {
    assert.ok(narrowsSafely("BF16", spread(deviation)), `${deviation}`);
  }
  assert.ok(!narrowsSafely("BF16", Float32Array.of(3.4e38)));
});

Deno.test("what is lost beside much larger values is lost without harm", () => {
  assert.ok(narrowsSafely("F16", Float32Array.of(0.5, ...spread(1e-9).subarray(0, 50))));
  assert.ok(narrowsSafely("F16", new Float32Array(5)));
  assert.ok(narrowsSafely("F16", new Float32Array()));
  // One too large value is never harmless.
  const values = spread(1);
  values[70_000] = -65_536;
  assert.ok(!narrowsSafely("F16", values));
});

Deno.test("values of a type are stored in it, whatever they are", () => {
  assert.ok(narrowsSafely("F16", Float32Array.of(2 ** -24, -(2 ** -23))));
  assert.ok(narrowsSafely("F8_E4M3", Float32Array.of(2 ** -9, 448)));
  assert.ok(!narrowsSafely("F8_E4M3", Float32Array.of(2 ** -9, 500)));
});

Deno.test("a NaN is never stored safely if it cannot be compared", () => {
  assert.ok(!narrowsSafely("F16", Float32Array.of(1, NaN)));
});
