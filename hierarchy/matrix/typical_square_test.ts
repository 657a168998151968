import assert from "node:assert";
import { createRandom } from "../../kan/numeric/random.ts";
import { typicalSquare } from "./typical_square.ts";

Deno.test("without outliers it is the mean square", () => {
  const random = createRandom(1);
  const values = Float32Array.from({ length: 5000 }, () => 3 * random.normal());
  const expected = values.reduce((sum, value) => sum + value * value, 0) / 5000;
  assert.equal(typicalSquare(values), expected);
});

Deno.test("a few outliers do not count, whatever their size", () => {
  const random = createRandom(2);
  const values = Float32Array.from({ length: 1000 }, () => random.normal());
  const expected = typicalSquare(values);
  values[3] = 1e4;
  values[700] = -1e4;
  assert.ok(Math.abs(typicalSquare(values) / expected - 1) < 0.02);
});

Deno.test("zeros, constants and nothing at all", () => {
  assert.equal(typicalSquare(new Float32Array(8)), 0);
  assert.equal(typicalSquare(new Float32Array(8).fill(2)), 4);
  assert.equal(typicalSquare(new Float32Array()), 0);
});

Deno.test("where all that is not zero is rare, zeros do not count", () => {
  const values = new Float32Array(10_000);
  values[77] = 3;
  assert.equal(typicalSquare(values), 9);
  values[78] = -1;
  assert.equal(typicalSquare(values), 5);
});

Deno.test("the largest value is never beyond the reach of indices", () => {
  const random = createRandom(3);
  const values = Float32Array.from({ length: 4096 }, () => 1e-10 * random.normal());
  values[5] = 1e10;
  assert.ok(1e10 / Math.sqrt(typicalSquare(values)) <= 2 ** 20);
});
