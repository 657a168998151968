import assert from "node:assert";
import { evaluateObjective } from "../engine/objective.ts";
import { createBsplines, gridOf } from "../bases/bspline.ts";
import { createGaussians } from "../bases/global_bases.ts";
import { evaluateKan, samplesFrom } from "../engine/evaluate.ts";
import { gridFromBreaks } from "../bases/grid.ts";
import { createKanModel, type KanModel, parametersOf } from "../model/model.ts";
import { stepAdam } from "../optimizers/adam.ts";
import { createRandom } from "../numeric/random.ts";
import { refineAdamState, refineKan } from "./refine.ts";

const points = samplesFrom(Array.from({ length: 101 }, (_, i) => [-1 + i / 50]));

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Math.max(...Array.from(a, (value, i) => Math.abs(value - b[i]!)));
}

Deno.test("refinement to a multiple is exact and averages neighbours", () => {
  const model = createKanModel({
    widths: [1, 1],
    grid: { intervals: 5 },
    noiseScale: 5,
    random: createRandom(0),
  });
  const refined = refineKan(model, 10);
  const difference = largestDifference(
    evaluateKan(model, points).data,
    evaluateKan(refined, points).data,
  );
  assert.ok(difference < 2e-15, `${difference}`);
  const coarse = model.layers[0]!.coefficients, fine = refined.layers[0]!.coefficients;
  // Subdivision of cubic splines: {(c0 + c1) / 2, (c0 + 6 c1 + c2) / 8}.
  for (let i = 0; i + 2 < coarse.length; i++) {
    const [a, b, c] = [coarse[i]!, coarse[i + 1]!, coarse[i + 2]!];
    assert.ok(Math.abs(fine[2 * i]! - (a + b) / 2) < 1e-11);
    assert.ok(Math.abs(fine[2 * i + 1]! - (a + 6 * b + c) / 8) < 1e-11);
  }
});

Deno.test("refinement to no multiple loses something, little at the samples", () => {
  const options = { widths: [1, 1], grid: { intervals: 3 }, noiseScale: 5 } as const;
  const model = createKanModel({ ...options, random: createRandom(0) });
  const before = evaluateKan(model, points).data;
  const overRange = largestDifference(before, evaluateKan(refineKan(model, 10), points).data);
  const few = samplesFrom([[-0.9], [-0.4], [0.1], [0.35], [0.8]]);
  const at = largestDifference(
    evaluateKan(model, few).data,
    evaluateKan(refineKan(model, 10, few), few).data,
  );
  assert.ok(overRange > 1e-5 && overRange < 0.05, `${overRange}`);
  assert.ok(at < 1e-9, `${at}`);
});

Deno.test("breaks of an uneven grid are divided evenly", () => {
  const basis = createBsplines(gridFromBreaks([0, 1, 4], 1), "linear");
  const model = createKanModel({ widths: [1, 1], basis, random: createRandom(0) });
  const refined = refineKan(model, 4).layers[0]!.bases[0]!;
  assert.deepEqual(gridOf(refined)!.knots.slice(1, -1), [0, 0.5, 1, 2.5, 4]);
  assert.equal(refined.extrapolation, "linear");
});

Deno.test("bases without a grid stay, impossible numbers of intervals are refused", () => {
  const basis = createGaussians();
  const model = createKanModel({ widths: [1, 1], basis, random: createRandom(0) });
  assert.deepEqual(refineKan(model, 9), model);
  assert.throws(() => refineKan(model, 0), /intervals/);
});

Deno.test("moments of a linear ramp stay a ramp, scaled with the splines", () => {
  const model = createKanModel({ widths: [1, 1], grid: { intervals: 4 }, random: createRandom(0) });
  const ramp = parametersOf(model).map((_, i) => i < 7 ? i : 100 + i);
  const { state } = stepAdam(ramp, ramp, { learningRate: 0.1, beta1: 0, beta2: 0 });
  const refined = refineKan(model, 8);
  const carried = refineAdamState(model, refined, state);
  assert.equal(carried.step, 1);
  assert.equal(carried.first.length, 11 + 2);
  // Spline j of 8 intervals is centred where spline j / 2 + 1/2 of 4 is.
  for (let j = 0; j < 11; j++) {
    assert.ok(Math.abs(carried.first[j]! - (j / 2 + 0.5) / 2) < 1e-12);
  }
  assert.deepEqual([...carried.first.slice(-2)], [107, 108]);
  assert.throws(() => refineAdamState(refined, model, state), /belong together/);
});

Deno.test("carried moments are close to those that the refined model itself would have", () => {
  const model = createKanModel({
    widths: [1, 1],
    grid: { intervals: 12 },
    random: createRandom(0),
  });
  const inputs = samplesFrom(Array.from({ length: 2001 }, (_, i) => [-1 + i / 1000]));
  const targets = { ...inputs, data: inputs.data.map((x) => Math.sin(4 * x)) };
  const momentsOf = (each: KanModel) => {
    const { gradient } = evaluateObjective(each, { inputs, targets }, "mse");
    return stepAdam(parametersOf(each), gradient, { learningRate: 0.1 }).state;
  };
  const refined = refineKan(model, 24);
  const own = momentsOf(refined);
  const carried = refineAdamState(model, refined, momentsOf(model));
  for (const name of ["first", "second"] as const) {
    const size = Math.max(...own[name].map(Math.abs));
    // At the ends half a spline lies outside the range, which interpolation cannot know; inside, the
    // model's initial noise makes the gradients rough and the squares of them rougher.
    for (let j = 3; j < 24; j++) {
      assert.ok(Math.abs(carried[name][j]! - own[name][j]!) < 0.25 * size, `${name} ${j}`);
    }
  }
});
