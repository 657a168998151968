import "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs";
import assert from "node:assert";
import { evaluateKan, samplesFrom } from "../engine/evaluate.ts";
import { evaluateLoss } from "../engine/losses.ts";
import type { DataSet } from "../engine/objective.ts";
import { fitKan, type FitOptions } from "./fit.ts";
import { createKanModel, parametersOf } from "../model/model.ts";
import { gridOf } from "../bases/bspline.ts";
import { createRandom } from "../numeric/random.ts";

function draw(f: (x: number, y: number) => number, rows: number, seed: number): DataSet {
  const random = createRandom(seed);
  const inputs = Float64Array.from({ length: 2 * rows }, () => 2 * random.uniform() - 1);
  const targets = Float64Array.from(
    { length: rows },
    (_, i) => f(inputs[2 * i]!, inputs[2 * i + 1]!),
  );
  return {
    inputs: { rows, columns: 2, data: inputs },
    targets: { rows, columns: 1, data: targets },
  };
}

const data = draw((x, y) => Math.sin(3 * x) + y * y, 200, 1);
const create = () =>
  createKanModel({ widths: [2, 1], grid: { intervals: 5 }, random: createRandom(7) });

const runs: { name: string; options: FitOptions; loss: number }[] = [
  { name: "L-BFGS", options: { steps: 60 }, loss: 1e-4 },
  {
    name: "Levenberg-Marquardt",
    options: { steps: 15, optimizer: "levenberg-marquardt" },
    loss: 1e-5,
  },
  { name: "Adam", options: { steps: 300, optimizer: "adam", learningRate: 0.03 }, loss: 1e-3 },
  {
    name: "Adam on batches",
    options: { steps: 300, optimizer: "adam", learningRate: 0.02, batchSize: 32 },
    loss: 3e-3,
  },
  { name: "L-BFGS on tfjs", options: { steps: 60, engine: "tfjs" }, loss: 1e-4 },
];
for (const { name, options, loss } of runs) {
  Deno.test(`${name} fits a sum of curves, the same way every time`, async () => {
    await tf.setBackend("wasm");
    const model = create();
    const start = parametersOf(model);
    const first = await fitKan(model, data, options);
    assert.ok(first.history.at(-1)!.loss < loss, `${first.history.at(-1)!.loss}`);
    const second = await fitKan(create(), data, options);
    assert.deepEqual(second.model.layers[0]!.coefficients, first.model.layers[0]!.coefficients);
    assert.deepEqual(parametersOf(model), start);
  });
}

Deno.test("the reported loss is that of the returned model", async () => {
  const { model, history } = await fitKan(create(), data, { steps: 7, gridUpdate: false });
  const { value } = evaluateLoss("mse", evaluateKan(model, data.inputs).data, data.targets);
  assert.ok(Math.abs(value - history.at(-1)!.loss) < 1e-15);
  assert.deepEqual(history.map(({ step }) => step), [1, 2, 3, 4, 5, 6, 7]);
});

Deno.test("a penalty makes the edges of an unused input small", async () => {
  const one = draw((x) => Math.sin(3 * x), 200, 3);
  const { model } = await fitKan(create(), one, { steps: 100, regularization: { lambda: 1e-3 } });
  const still = { ...one.inputs, data: one.inputs.data.map((x, i) => i % 2 === 0 ? 0.2 : x) };
  const outputs = evaluateKan(model, still).data;
  assert.ok(Math.max(...outputs) - Math.min(...outputs) < 0.02);
});

Deno.test("early stopping returns the model that was best on the validation data", async () => {
  const noisy = draw((x, y) => Math.sin(3 * x) + y + Math.sin(1e5 * x * y), 20, 4);
  const validation = draw((x, y) => Math.sin(3 * x) + y, 200, 5);
  const result = await fitKan(create(), noisy, { steps: 200, validation, patience: 10 });
  assert.equal(result.reason, "patience");
  const losses = result.history.map(({ validationLoss }) => validationLoss!);
  const { data: outputs } = evaluateKan(result.model, validation.inputs);
  const { value } = evaluateLoss("mse", outputs, validation.targets);
  assert.ok(Math.abs(value - Math.min(...losses)) < 1e-12);
  assert.equal(losses.length - 1 - losses.indexOf(Math.min(...losses)), 10);
});

Deno.test("an abort stops the training with what it has", async () => {
  const controller = new AbortController();
  const onProgress = ({ step }: { step: number }) => step === 3 && controller.abort();
  const result = await fitKan(create(), data, { onProgress, signal: controller.signal });
  assert.equal(result.reason, "aborted");
  assert.equal(result.history.length, 3);
});

Deno.test("classes are learned by cross-entropy", async () => {
  const inside = draw((x, y) => x * x + y * y < 0.5 ? 1 : 0, 300, 6);
  const shares = new Float64Array(600);
  inside.targets.data.forEach((label, row) => shares[2 * row + label] = 1);
  const classes = { inputs: inside.inputs, targets: { rows: 300, columns: 2, data: shares } };
  const model = createKanModel({ widths: [2, 2], grid: { intervals: 5 }, random: createRandom(0) });
  const result = await fitKan(model, classes, {
    loss: "crossEntropy",
    steps: 40,
  });
  const logits = evaluateKan(result.model, inside.inputs).data;
  let right = 0;
  inside.targets.data.forEach((label, row) => {
    if ((logits[2 * row + 1]! > logits[2 * row]! ? 1 : 0) === label) right++;
  });
  assert.ok(right / 300 > 0.97, `${right}`);
});

Deno.test("a validation loss that is not finite is never the best, and patience ends", async () => {
  // Finite numbers whose squared error is not: early stopping must still count the steps.
  const validation = draw(() => 1e300, 20, 5);
  const result = await fitKan(create(), data, { steps: 50, validation, patience: 4 });
  assert.equal(result.reason, "patience");
  assert.equal(result.history.length, 4);
  const spoiled = draw((x) => x < 0 ? NaN : x, 20, 5);
  await assert.rejects(
    fitKan(create(), data, { validation: spoiled, patience: 4 }),
    /the validation targets are not all finite: row \d+, column 0 is NaN/,
  );
});

for (const optimizer of ["lbfgs", "adam", "levenberg-marquardt"] as const) {
  Deno.test(`${optimizer} says that the loss overflows, and gives a finite model`, async () => {
    const huge = draw(() => 1e200, 20, 5);
    const options = { optimizer, steps: 20, gridUpdate: false as const };
    const { reason, model, history } = await fitKan(create(), huge, options);
    assert.equal(reason, "overflow");
    assert.deepEqual(history, []);
    assert.deepEqual(parametersOf(model), parametersOf(create()));
  });
}

Deno.test("squares of a gradient that overflow end a run of Adam, too", async () => {
  const far = draw(() => 0, 20, 5);
  const shares = { rows: 20, columns: 2, data: new Float64Array(40).fill(0.5) };
  const inputs = { ...far.inputs, data: far.inputs.data.map((x) => 1e200 * x) };
  const model = createKanModel({ widths: [2, 2], base: "identity", random: createRandom(0) });
  const options: FitOptions = { optimizer: "adam", loss: "crossEntropy", gridUpdate: false };
  const { reason, model: last } = await fitKan(model, { inputs, targets: shares }, options);
  assert.equal(reason, "overflow");
  assert.ok(parametersOf(last).every(Number.isFinite));
});

Deno.test("a run that overflows on its way gives the last model that did not", async () => {
  const options: FitOptions = { optimizer: "adam", learningRate: 1e154, steps: 20 };
  const { reason, model, history } = await fitKan(create(), data, options);
  assert.equal(reason, "overflow");
  assert.ok(history.length > 0 && history.every(({ loss }) => Number.isFinite(loss)));
  assert.ok(Number.isFinite(evaluateKan(model, data.inputs).data[0]));
});

Deno.test("impossible requests are refused", async () => {
  await assert.rejects(fitKan(create(), draw(() => NaN, 5, 1)), /targets are not all finite/);
  await assert.rejects(fitKan(create(), data, { batchSize: 0 }), /batchSize/);
  const optimizer = "levenberg-marquardt";
  await assert.rejects(fitKan(create(), data, { optimizer, engine: "tfjs" }), /engine float64/);
});

Deno.test("grids that end on the extreme samples do not end a run before its last update", async () => {
  for (const seed of [0, 3, 29, 34]) {
    const random = createRandom(seed + 1000);
    const draw = () => 2 * random.uniform() - 1;
    const inputs = Array.from({ length: 30 }, () => [draw(), draw()]);
    const small = {
      inputs: samplesFrom(inputs),
      targets: samplesFrom(inputs.map(([x, y]) => [Math.sin(3 * x!) + y! ** 2])),
    };
    const model = createKanModel({
      widths: [2, 2, 1],
      extrapolation: "clamp",
      random: createRandom(seed),
    });
    const gridUpdate = { every: 5, until: 50 };
    const { reason, history } = await fitKan(model, small, { steps: 40, gridUpdate });
    assert.deepEqual([reason, history.length], ["steps", 40]);
  }
});

Deno.test("a run without better steps ends after its last grid update, not before", async () => {
  const model = createKanModel({ widths: [1, 1], initialization: "zero", random: createRandom(0) });
  const points = Array.from({ length: 20 }, (_, i) => [i]);
  const zero = { inputs: samplesFrom(points), targets: samplesFrom(points.map(() => [0])) };
  const options = { steps: 30, gridUpdate: { every: 4, until: 9 }, scaling: false } as const;
  const { model: last, reason, history } = await fitKan(model, zero, options);
  assert.deepEqual([reason, history.length], ["converged", 0]);
  assert.deepEqual(last.layers[0]!.bases[0]!.domain, [0, 19]);
});

Deno.test("grids start, stop and mix as asked for", async () => {
  const skewed = {
    inputs: samplesFrom(Array.from({ length: 101 }, (_, i) => [(i / 100) ** 2])),
    targets: samplesFrom(Array.from({ length: 101 }, (_, i) => [i / 100])),
  };
  const model = createKanModel({ widths: [1, 1], grid: { intervals: 4 }, random: createRandom(0) });
  const breaks = async (gridUpdate: FitOptions["gridUpdate"], steps = 3) => {
    const { model: fitted } = await fitKan(model, skewed, { steps, gridUpdate: gridUpdate! });
    return gridOf(fitted.layers[0]!.bases[0]!)!.knots.slice(3, 8);
  };
  const near = (actual: readonly number[], expected: readonly number[]) =>
    actual.forEach((value, i) => assert.ok(Math.abs(value - expected[i]!) < 1e-12, `${actual}`));
  near(await breaks({ uniformShare: 1 }), [0, 0.25, 0.5, 0.75, 1]);
  near(await breaks({ uniformShare: 0 }), [0, 0.0625, 0.25, 0.5625, 1]);
  near(await breaks({ start: 3 }), [-1, -0.5, 0, 0.5, 1]);
  near(await breaks({ every: 1, start: 2, uniformShare: 1 }, 4), [0, 0.25, 0.5, 0.75, 1]);
});

Deno.test("with batches, grids follow a sample of the data and not all of it", async () => {
  const random = createRandom(1);
  const points = Array.from({ length: 20_000 }, () => [random.uniform()]);
  const many = { inputs: samplesFrom(points), targets: samplesFrom(points) };
  const model = createKanModel({ widths: [1, 1], random: createRandom(0) });
  const ends = async (samples?: number) => {
    const gridUpdate = samples === undefined ? {} : { samples };
    const options: FitOptions = { steps: 1, optimizer: "adam", batchSize: 64, gridUpdate };
    const { model: fitted } = await fitKan(model, many, options);
    return fitted.layers[0]!.bases[0]!.domain;
  };
  const extremes = [Math.min(...points.flat()), Math.max(...points.flat())];
  assert.deepEqual(await ends(20_000), extremes);
  const [start, end] = await ends();
  assert.ok(start > extremes[0]! && start < 0.1 && end < extremes[1]! && end > 0.9);
});
