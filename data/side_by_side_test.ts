import assert from "node:assert";
import fc from "fast-check";
import { RUNS, writeSideBySide } from "./side_by_side.ts";

Deno.test("writeSideBySide() puts each value in its place and touches no other", () => {
  const starts = fc.array(fc.nat(50), { minLength: RUNS, maxLength: RUNS });
  fc.assert(fc.property(starts, fc.nat(20), fc.nat(9), fc.nat(9), (starts, count, at, more) => {
    const stride = RUNS + more;
    const values = Float32Array.from({ length: 80 }, (_, i) => 1 + i);
    const target = new Float32Array(at + stride * count + 5);
    const expected = target.slice();
    for (let i = 0; i < count; i++) {
      starts.forEach((start, k) => expected[at + stride * i + k] = values[start + i]!);
    }
    writeSideBySide(values, Int32Array.from(starts), count, target, at, stride);
    assert.deepEqual(target, expected);
  }));
});
