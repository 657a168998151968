import assert from "node:assert";
import { bisect } from "./bisect.ts";

Deno.test("what is left of a range holds the number that was looked for", () => {
  const [low, high] = bisect([0, 4], (x) => x * x < 2, 50);
  assert.ok(low <= Math.SQRT2 && Math.SQRT2 <= high && high - low < 1e-14);
});

Deno.test("each round halves the range, until it is narrow enough", () => {
  assert.deepEqual(bisect([0, 8], () => true, 2), [6, 8]);
  assert.deepEqual(bisect([0, 8], () => false, 2), [0, 2]);
  assert.deepEqual(bisect([0, 8], () => true, 9, 2), [6, 8]);
});
