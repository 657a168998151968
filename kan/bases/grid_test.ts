import assert from "node:assert";
import { gridFromBreaks, gridFromKnots, uniformGrid } from "./grid.ts";

Deno.test("uniformGrid() has the knots of Liu et al.: -2.2 to 2.2 in steps of .4", () => {
  const grid = uniformGrid({ intervals: 5, order: 3, range: [-1, 1] });
  assert.equal(grid.knots.length, 12);
  grid.knots.forEach((knot, i) => assert.ok(Math.abs(knot - (-2.2 + 0.4 * i)) < 1e-14));
  assert.deepEqual([grid.knots[3], grid.knots[8]], [-1, 1]);
});

Deno.test("a grid cannot be changed", () => {
  const grid = uniformGrid({ intervals: 2 });
  assert.throws(() => (grid.knots as number[])[0] = 0, TypeError);
  assert.throws(() => (grid as { order: number }).order = 1, TypeError);
});

Deno.test("gridFromBreaks() keeps uneven breaks and steps outwards by their mean width", () => {
  assert.deepEqual(gridFromBreaks([0, 1, 4], 2).knots, [-4, -2, 0, 1, 4, 6, 8]);
});

Deno.test("grids refuse what cannot be a grid", () => {
  assert.throws(() => uniformGrid({ intervals: 0 }), /intervals/);
  assert.throws(() => uniformGrid({ intervals: 2.5 }), /intervals/);
  assert.throws(() => uniformGrid({ intervals: 2, order: -1 }), /order/);
  assert.throws(() => uniformGrid({ intervals: 2, range: [1, 1] }), /range/);
  assert.throws(() => uniformGrid({ intervals: 2, range: [0, Infinity] }), /range/);
  assert.throws(() => gridFromBreaks([0], 1), /breaks/);
  assert.throws(() => gridFromKnots([0, 1, 0.5, 2], 1), /ascending/);
  assert.throws(() => gridFromKnots([0, 1, 2], 1), /at least 4 knots/);
});
