import assert from "node:assert";
import fc from "fast-check";
import { gridOf } from "../bases/bspline.ts";
import { createFourier } from "../bases/global_bases.ts";
import { evaluateKan, samplesFrom } from "../engine/evaluate.ts";
import { uniformGrid } from "../bases/grid.ts";
import { gridFromSamples, updateGrids } from "./grid_update.ts";
import { createKanModel } from "../model/model.ts";
import { createRandom } from "../numeric/random.ts";

Deno.test("breaks are sorted samples at floor(N i / G) and the last, outer knots step by range / G", () => {
  const samples = [9, 0, 1, 4, 2, 7, 3];
  const grid = gridFromSamples(uniformGrid({ intervals: 3, order: 2 }), samples, 0);
  assert.deepEqual(grid.knots, [-6, -3, 0, 2, 4, 9, 12, 15]);
});

Deno.test("the uniform share moves breaks towards even ones", () => {
  const grid = uniformGrid({ intervals: 2, order: 1 });
  const middle = gridFromSamples(grid, [0, 1, 2, 10], 0.5).knots[2]!;
  assert.equal(middle, 0.5 * 2 + 0.5 * 5);
});

Deno.test("equal samples move the grid at its old width", () => {
  const grid = gridFromSamples(uniformGrid({ intervals: 4, range: [-1, 1] }), [3, 3, 3]);
  assert.deepEqual(grid.range, [2, 4]);
});

Deno.test("samples that are missing or not finite are refused", () => {
  const grid = uniformGrid({ intervals: 4 });
  assert.throws(() => gridFromSamples(grid, []), /at least 1/);
  assert.throws(() => gridFromSamples(grid, [1, NaN]), /finite/);
});

Deno.test("a constant column far from zero gets a grid, and what gets none is named", () => {
  const model = createKanModel({ widths: [2, 1], random: createRandom(3) });
  for (const far of [1.7e18, -1.7e18, 1e300]) {
    const inputs = samplesFrom([[0, far], [1, far], [2, far]]);
    const updated = updateGrids(model, inputs);
    const [start, end] = gridOf(updated.layers[0]!.bases[1]!)!.range;
    assert.ok(start < far && far < end);
    assert.ok(evaluateKan(updated, inputs).data.every(Number.isFinite));
  }
  assert.throws(
    () => updateGrids(model, samplesFrom([[0, 1.7e308], [1, -1.7e308]])),
    /^RangeError: input 1 of layer 0: /,
  );
});

Deno.test("an update keeps what the unscaled splines compute, whatever their scales", () => {
  const random = createRandom(2);
  // A scale far from 1 would show a refit of the scaled output.
  const model = createKanModel({
    widths: [2, 3, 1],
    grid: { intervals: 20 },
    initialization: "efficient-kan",
    noiseScale: 1,
    random,
  });
  const x = samplesFrom(Array.from({ length: 500 }, () => [random.uniform(), random.uniform()]));
  const before = evaluateKan(model, x).data;
  const after = evaluateKan(updateGrids(model, x, 1), x).data;
  const size = Math.max(...before.map(Math.abs));
  before.forEach((value, i) => assert.ok(Math.abs(after[i]! - value) < 2e-3 * size));
});

Deno.test("after an update every grid spans its samples", () => {
  const random = createRandom(5);
  const model = createKanModel({ widths: [2, 2, 1], random });
  const rows = Array.from({ length: 50 }, () => [3 * random.normal(), 5 + random.normal()]);
  const updated = updateGrids(model, samplesFrom(rows));
  for (const input of [0, 1]) {
    const column = rows.map((row) => row[input]!);
    const [start, end] = gridOf(updated.layers[0]!.bases[input]!)!.range;
    assert.deepEqual([start, end], [Math.min(...column), Math.max(...column)]);
  }
});

Deno.test("bases without a grid stay", () => {
  const model = createKanModel({
    widths: [1, 1],
    basis: createFourier(2),
    random: createRandom(0),
  });
  assert.deepEqual(updateGrids(model, samplesFrom([[1], [2]])), model);
});

Deno.test("updates stay finite for constant, repeated, few, tiny and huge samples", () => {
  const number = fc.oneof(
    fc.constantFrom(0, 1, -1, 1e-30, 1e12),
    fc.double({ min: -1e6, max: 1e6, noNaN: true }),
  );
  const model = createKanModel({ widths: [1, 2, 1], random: createRandom(1) });
  fc.assert(fc.property(fc.array(number, { minLength: 1, maxLength: 12 }), (values) => {
    const x = samplesFrom(values.map((value) => [value]));
    assert.ok(evaluateKan(updateGrids(model, x), x).data.every(Number.isFinite));
  }));
});
