import assert from "node:assert";
import { evaluate } from "mathjs";
import { tidy } from "./tidy.ts";

Deno.test("short formulas are simplified", () => {
  assert.equal(tidy("2 * x + 3 * x").toString(), "5 * x");
  assert.equal(tidy("exp(x) * y + 2 * exp(x) * y").toString(), "3 * exp(x) * y");
});

// math.js would simplify the sums for days, and the products too.

Deno.test("long sums are left as they are, but for needless marks", () => {
  const terms = Array.from({ length: 40 }, (_, i) => `${i + 1} * sin((x) + ${i})`);
  const text = terms.join(" + ").replace("+ 3 *", "+ -3 *");
  const tree = tidy(text);
  assert.match(tree.toString(), /^sin\(x \+ 0\) \+ 2 \* sin\(x \+ 1\) - 3 \* sin\(x \+ 2\) \+ 4/);
  assert.equal(tree.evaluate({ x: 0.3 }), evaluate(text, { x: 0.3 }));
});

Deno.test("products of many sums are left as they are", () => {
  const sums = Array.from({ length: 200 }, (_, k) => {
    return `(${Array.from({ length: 5 }, (_, i) => `${i + 1.5} * sin(${k + 1} * x)`).join(" + ")})`;
  });
  const tree = tidy(sums.join(" * "));
  const expected = evaluate(sums.join(" * "), { x: 0.1 });
  assert.ok(Math.abs(tree.evaluate({ x: 0.1 }) / expected - 1) < 1e-12);
});
