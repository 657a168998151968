import assert from "node:assert";
import fc from "fast-check";
import { exp2Eighths, exp2Sixteenths, log2Integer } from "./exact_math.ts";

Deno.test("exp2Sixteenths() and exp2Eighths() agree with Math.pow", () => {
  fc.assert(fc.property(fc.integer({ min: -16_000, max: 16_000 }), (units) => {
    const expected = 2 ** (units / 16);
    assert.ok(Math.abs(exp2Sixteenths(units) - expected) <= expected * 1e-14);
    if (units % 2 === 0) assert.equal(exp2Eighths(units / 2), exp2Sixteenths(units));
  }));
});

Deno.test("exp2Sixteenths() has known bits", () => {
  assert.equal(exp2Sixteenths(16), 2);
  assert.equal(exp2Sixteenths(-160), 2 ** -10);
  assert.equal(exp2Sixteenths(8), 1.4142135623730951);
  assert.equal(exp2Sixteenths(1), 1.0442737824274138);
});

Deno.test("log2Integer() agrees with Math.log2 to its resolution", () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 2 ** 31 - 1 }), (value) => {
    const difference = Math.log2(value) - log2Integer(value);
    assert.ok(difference > -1e-9 && difference < 2 ** -15.5, `${difference}`);
  }));
  assert.equal(log2Integer(1), 0);
  assert.equal(log2Integer(1024), 10);
});
