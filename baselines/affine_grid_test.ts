import assert from "node:assert";
import fc from "fast-check";
import { fitAffineGrid, roundToGrid } from "./affine_grid.ts";

const values = fc.array(fc.integer({ min: -10000, max: 10000 }).map((n) => n / 100), {
  minLength: 1,
  maxLength: 40,
});
const options = fc.record({
  bits: fc.integer({ min: 2, max: 8 }),
  symmetric: fc.boolean(),
  searchClip: fc.boolean(),
});

Deno.test("roundToGrid() finds the nearest of all values", () => {
  fc.assert(fc.property(values, options, (list, settings) => {
    const x = Float64Array.from(list);
    const grid = fitAffineGrid(x, x.map(() => 1), settings);
    assert.equal(grid.scale, Math.f16round(grid.scale));
    const places = Array.from({ length: grid.top + 1 }, (_, q) => grid.scale * (q - grid.zero));
    for (const value of x) {
      const nearest = Math.min(...places.map((place) => Math.abs(place - value)));
      const distance = Math.abs(roundToGrid(grid, value) - value);
      assert.ok(distance <= nearest * (1 + 1e-12) + 1e-12);
    }
  }));
});

Deno.test("an unclipped grid reaches every value and 0, and a searched range is never worse", () => {
  fc.assert(fc.property(values, options, (list, settings) => {
    const x = Float64Array.from(list);
    const weights = x.map((_, i) => 1 + i % 3);
    const error = (searchClip: boolean) => {
      const grid = fitAffineGrid(x, weights, { ...settings, searchClip });
      return x.reduce((sum, v, i) => sum + weights[i]! * (v - roundToGrid(grid, v)) ** 2, 0);
    };
    assert.ok(error(true) <= error(false));
    const grid = fitAffineGrid(x, weights, { ...settings, searchClip: false });
    assert.equal(roundToGrid(grid, 0), 0);
    // A symmetric grid has no value for its upper end.
    const reach = (settings.symmetric ? 1 : 0.5) * grid.scale * 1.01 + grid.top * grid.scale / 1024;
    for (const value of x) assert.ok(Math.abs(roundToGrid(grid, value) - value) <= reach + 1e-7);
  }));
});
