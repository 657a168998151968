import assert from "node:assert";
import fc from "fast-check";
import { createScale } from "./scale.ts";

const finite = fc.integer({ min: -1e6, max: 1e6 }).map((value) => value / 1000);
const positive = fc.double({ min: -9, max: 9, noNaN: true }).map((power) => 10 ** power);

Deno.test("marks lie on the axis, in order, each with a label of its own", () => {
  const axes = fc.oneof(
    fc.record({ type: fc.constant("linear"), values: fc.array(finite, { minLength: 1 }) }),
    fc.record({ type: fc.constant("log"), values: fc.array(positive, { minLength: 1 }) }),
  );
  fc.assert(
    fc.property(axes, ({ type, values }) => {
      // Values closer together than the digits of a label show are one to the reader.
      const low = Math.min(...values), high = Math.max(...values);
      fc.pre(low === high || high - low > 1e-3 * Math.max(Math.abs(low), Math.abs(high)));
      const { at, ticks } = createScale(values, { type });
      for (const value of values) assert.ok(at(value) >= -1e-9 && at(value) <= 1 + 1e-9);
      assert.ok(ticks.length >= 1 && ticks.length <= 30, `${ticks.length} marks`);
      for (const tick of ticks) {
        assert.ok(tick.at >= -1e-9 && tick.at <= 1 + 1e-9);
        assert.ok(Math.abs(at(tick.value) - tick.at) < 1e-9);
      }
      for (const [i, tick] of ticks.slice(1).entries()) assert.ok(tick.at > ticks[i]!.at);
      assert.equal(new Set(ticks.map(({ label }) => label)).size, ticks.length);
    }),
    { examples: [[{ type: "log", values: [1 + Number.EPSILON] }]] },
  );
});

Deno.test("a range that is given is the axis, also where it falls", () => {
  const { at, ticks } = createScale([3], { range: [4, 0], dtick: 1 });
  assert.deepEqual([at(4), at(3), at(0)], [0, 0.25, 1]);
  assert.deepEqual(ticks.map(({ label }) => label), ["0", "1", "2", "3", "4"]);
  assert.equal(createScale([], { type: "log", range: [-2, 2] }).at(1), 0.5);
});

Deno.test("logarithmic axes cannot show zero, nor anything that is not a number", () => {
  const { at } = createScale([1, 100], { type: "log" });
  for (const value of [0, -1, NaN, null, undefined]) assert.ok(Number.isNaN(at(value)), `${value}`);
});

Deno.test("categories stand at even distances, in the order in which they come", () => {
  const { at, ticks } = createScale(["b", "a", "b"], {});
  assert.deepEqual(ticks.map(({ label }) => label), ["b", "a"]);
  assert.deepEqual([at("b"), at("a")], [0.25, 0.75]);
});
