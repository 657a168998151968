import assert from "node:assert";
import { halvesOf } from "./half_floats.ts";

Deno.test("every finite float16 number is found again, and no other", () => {
  const bits = Uint16Array.from({ length: 2 ** 16 }, (_, i) => i)
    .filter((word) => (word & 0x7c00) !== 0x7c00);
  const values = Float32Array.from(new Float16Array(bits.buffer));
  assert.deepEqual(halvesOf(values, true), bits);
  for (const other of [1 / 3, 65520, 2 ** -25, 1.5 * 2 ** -24, NaN, Infinity]) {
    assert.equal(halvesOf(Float32Array.of(1, other), true), undefined, `${other}`);
  }
});

Deno.test("numbers that a device takes for 0 are none, and 0 is one", () => {
  assert.equal(halvesOf(Float32Array.of(2 ** -15), false), undefined);
  assert.deepEqual(halvesOf(Float32Array.of(2 ** -14, -0), false), Uint16Array.of(0x400, 0x8000));
});
