import assert from "node:assert";
import fc from "fast-check";
import { spread } from "./calibration.ts";

Deno.test("spread() takes whole chunks from all over the text", () => {
  const tokens = Int32Array.from({ length: 100 }, (_, i) => i);
  assert.deepEqual([...spread(tokens, 20, 10)], [
    ...[0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    ...[50, 51, 52, 53, 54, 55, 56, 57, 58, 59],
  ]);
  assert.equal(spread(tokens, 1000, 10), tokens);
});

Deno.test("spread() keeps to its limit, but for a single chunk", () => {
  fc.assert(
    fc.property(fc.nat(500), fc.nat(500), fc.integer({ min: 1, max: 50 }), (n, limit, c) => {
      const { length } = spread(new Int32Array(n), limit, c);
      assert.ok(length <= Math.max(limit, c) || length === n);
      assert.ok(length <= n);
    }),
  );
});
