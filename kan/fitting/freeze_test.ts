import assert from "node:assert";
import "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs";
import { evaluateKan, samplesFrom } from "../engine/evaluate.ts";
import { createKanModel } from "../model/model.ts";
import type { Samples } from "../numeric/least_squares.ts";
import { createRandom } from "../numeric/random.ts";
import { fixSymbolic } from "../symbolic/suggest.ts";
import { fitKan, type FitOptions } from "./fit.ts";

const random = createRandom(5);
const points = Array.from({ length: 60 }, () => [random.uniform(), random.uniform()]);
const data = {
  inputs: samplesFrom(points),
  targets: samplesFrom(points.map(([x, y]) => [x! * x! + y!])),
};
const model = fixSymbolic(
  createKanModel({ widths: [2, 2, 1], random: createRandom(0) }),
  data.inputs,
  { layer: 1, input: 1, output: 0 },
  { name: "sin", inputScale: 1, inputShift: 0, outputScale: 1, outputShift: 0 },
);
const fit = async (freeze: FitOptions["freeze"], options: FitOptions = {}) =>
  (await fitKan(model, data, { steps: 6, freeze: freeze!, ...options })).model.layers;

Deno.test("a frozen layer stays as it is, grids too, with every optimizer and engine", async () => {
  await tf.setBackend("cpu");
  const runs: FitOptions[] = [
    {},
    { optimizer: "adam" },
    { optimizer: "levenberg-marquardt" },
    { engine: "tfjs" },
    { regularization: { lambda: 0.1 } },
  ];
  for (const options of runs) {
    const [first, second] = await fit([{ layer: 0 }], options);
    assert.deepEqual(first, model.layers[0], JSON.stringify(options));
    assert.notDeepEqual(second!.coefficients, model.layers[1]!.coefficients);
    assert.notDeepEqual(second!.symbolic, model.layers[1]!.symbolic);
  }
});

Deno.test("single edges and parts are frozen, and nothing else", async () => {
  const [before] = model.layers;
  const [edge] = await fit([{ layer: 0, input: 1, output: 0 }]);
  const changed = (name: "coefficients" | "baseWeights" | "splineScales") =>
    [...edge![name].keys()].filter((at) => edge![name][at] !== before![name][at]);
  assert.deepEqual(changed("baseWeights"), [0, 1, 3]);
  assert.deepEqual(changed("splineScales"), [0, 1, 3]);
  const isOfEdge = (at: number) => at >= 6 * 2 && at % 2 === 0;
  assert.ok(changed("coefficients").every((at) => !isOfEdge(at)));
  const [scales, top] = await fit([{ layer: 0, parts: ["splineScales"] }, {
    layer: 1,
    parts: ["symbolic"],
  }]);
  assert.deepEqual(scales!.splineScales, before!.splineScales);
  assert.notDeepEqual(scales!.baseWeights, before!.baseWeights);
  assert.deepEqual(top!.symbolic, model.layers[1]!.symbolic);
  await assert.rejects(fit([{ layer: 2 }]), /layer of a frozen part/);
  await assert.rejects(fit([{ layer: 0, input: 2 }]), /input of a frozen part/);
  await assert.rejects(fit([{ layer: 0, parts: ["grid" as "symbolic"] }]), /frozen part/);
});

Deno.test("metrics are those of raw outputs and targets after every step", async () => {
  const most = (outputs: Samples, targets: Samples) =>
    outputs.data.reduce((top, value, i) => Math.max(top, Math.abs(value - targets.data[i]!)), 0);
  const raw = {
    inputs: data.inputs,
    targets: { ...data.targets, data: data.targets.data.map((y) => 1e5 * y) },
  };
  const { model: fitted, history } = await fitKan(model, raw, {
    steps: 8,
    metrics: { most },
    validation: raw,
  });
  assert.ok(fitted.scaling !== undefined);
  const last = history.at(-1)!;
  assert.equal(last.metrics!.most, most(evaluateKan(fitted, raw.inputs), raw.targets));
  assert.deepEqual(last.validationMetrics, last.metrics);
  assert.ok(history.every(({ metrics }) => metrics!.most! > 0));
  await assert.rejects(fitKan(model, data, { metrics: { most: 3 as never } }), /metrics.most/);
});
