import assert from "node:assert";
import fc from "fast-check";
import { logScale, scaleOf } from "./log_scale.ts";

Deno.test("scales are kept within a sixteenth of an octave, and zero exactly", () => {
  fc.assert(fc.property(fc.double({ min: 1e-37, max: 1e37, noNaN: true }), (value) => {
    const octaves = Math.log2(scaleOf(logScale(value)) / value);
    assert.ok(Math.abs(octaves) <= 1 / 16 + 1e-12);
  }));
  assert.equal(scaleOf(logScale(0)), 0);
  assert.ok(scaleOf(logScale(1e-45)) > 0);
});
