import "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs";
import assert from "node:assert";
import { bsplineBasis, createBsplines } from "../bases/bspline.ts";
import { samplesFrom } from "../engine/evaluate.ts";
import { evaluateObjective } from "../engine/objective.ts";
import { uniformGrid } from "../bases/grid.ts";
import { KanLayer } from "./kan_layer.ts";
import { createKanLayerModel, type Initialization } from "../model/layer_model.ts";
import { createRandom } from "../numeric/random.ts";

const grid = uniformGrid({ intervals: 5, order: 3, range: [-1, 1] });

function createLayer(initialization: Initialization = "pykan") {
  return KanLayer.create({
    inputDim: 2,
    outputDim: 3,
    grid,
    initialization,
    random: createRandom(4),
  });
}

for (const backend of ["cpu", "wasm"]) {
  Deno.test(`a layer computes the sum of its edges on ${backend}`, async () => {
    await tf.setBackend(backend);
    const layer = createLayer();
    const model = await layer.toModel();
    const x = [0.3, -0.8];
    const y = layer.apply(tf.tensor2d([x])).dataSync();
    for (let o = 0; o < 3; o++) {
      let expected = 0;
      for (let i = 0; i < 2; i++) {
        const splines = bsplineBasis(grid, x[i]!);
        let curve = 0;
        for (let j = 0; j < 8; j++) curve += splines[j]! * model.coefficients[(i * 8 + j) * 3 + o]!;
        const silu = x[i]! / (1 + Math.exp(-x[i]!));
        expected += model.baseWeights[i * 3 + o]! * silu + model.splineScales[i * 3 + o]! * curve;
      }
      assert.ok(Math.abs(y[o]! - expected) < 1e-6);
    }
    layer.dispose();
  });

  Deno.test(`gradients agree with finite differences on ${backend}`, async () => {
    await tf.setBackend(backend);
    const layer = createLayer();
    const x = tf.variable(tf.tensor2d([[0.3, -0.8], [-0.15, 0.55]]));
    const loss = () => layer.apply(x).square().sum() as tf.Scalar;
    const { grads } = tf.variableGrads(loss, [x, ...layer.variables]);
    for (const variable of [x, ...layer.variables]) {
      const gradient = grads[variable.name]!.dataSync();
      const values = variable.dataSync().slice();
      const scale = Math.max(...gradient.map(Math.abs));
      for (let i = 0; i < values.length; i++) {
        const at = (offset: number) => {
          const moved = values.slice();
          moved[i]! += offset;
          variable.assign(tf.tensor(moved, variable.shape));
          return loss().dataSync()[0]!;
        };
        const difference = (at(0.01) - at(-0.01)) / 0.02;
        assert.ok(Math.abs(gradient[i]! - difference) < 0.01 * scale + 1e-4);
      }
      variable.assign(tf.tensor(values, variable.shape));
    }
    layer.dispose();
  });
}

Deno.test("apply() and dispose() keep no tensors", async () => {
  await tf.setBackend("wasm");
  const before = tf.memory().numTensors;
  const layer = createLayer();
  const x = tf.tensor2d([[0, 0]]);
  tf.dispose(layer.apply(x));
  tf.dispose(tf.variableGrads(() => layer.apply(x).sum() as tf.Scalar, layer.variables));
  layer.dispose();
  x.dispose();
  assert.equal(tf.memory().numTensors, before);
});

Deno.test("a removed edge contributes nothing", async () => {
  await tf.setBackend("cpu");
  const model = createKanLayerModel({ inputDim: 1, outputDim: 2, grid, random: createRandom(1) });
  model.mask[1] = 0;
  const layer = KanLayer.fromModel(model);
  const [kept, removed] = layer.apply(tf.tensor2d([[0.4]])).dataSync();
  assert.ok(kept !== 0);
  assert.equal(removed, 0);
  assert.deepEqual((await layer.toModel()).mask, model.mask);
  layer.dispose();
});

Deno.test("the extrapolation policies act on a layer", async () => {
  await tf.setBackend("wasm");
  const at = (extrapolation: "clamp" | "linear" | "zero" | "error", x: number) => {
    const basis = createBsplines(grid, extrapolation);
    const random = createRandom(2);
    const layer = KanLayer.create({ inputDim: 1, outputDim: 1, basis, base: "none", random });
    const y = layer.apply(tf.tensor2d([[x]])).dataSync()[0]!;
    layer.dispose();
    return y;
  };
  assert.equal(at("clamp", 7), at("clamp", 1));
  assert.equal(at("zero", 7), 0);
  const [end, one, two] = [at("linear", 1), at("linear", 2), at("linear", 3)];
  assert.ok(Math.abs(two - one - (one - end)) < 1e-6);
  assert.throws(() => at("error", 7), /outside the domain/);
});

Deno.test("initialisations repeat with their seed and have their published spread", () => {
  const create = (initialization: Initialization) =>
    createKanLayerModel({
      inputDim: 64,
      outputDim: 64,
      grid,
      initialization,
      random: createRandom(5),
    });
  assert.deepEqual(create("pykan").coefficients, create("pykan").coefficients);
  const spread = (values: Float64Array) =>
    Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
  const bound = 1 / 8 / Math.sqrt(3); // of U(-1, 1) / sqrt 64
  for (const name of ["pykan", "efficient-kan"] as const) {
    assert.ok(Math.abs(spread(create(name).baseWeights) / bound - 1) < 0.03);
  }
  assert.ok(create("pykan").splineScales.every((scale) => scale === 1 / 8));
  assert.ok(Math.abs(spread(create("efficient-kan").splineScales) / bound - 1) < 0.03);
  assert.ok(Math.abs(spread(create("chebykan").coefficients) * 64 * 8 - 1) < 0.03);
  assert.ok(create("zero").coefficients.every((coefficient) => coefficient === 0));
});

Deno.test("a layer refuses impossible options", () => {
  const random = createRandom(0);
  const basis = createBsplines(grid);
  assert.throws(() => KanLayer.create({ inputDim: 0, outputDim: 1, grid, random }), /inputDim/);
  assert.throws(() => KanLayer.create({ inputDim: 1, outputDim: 1, random }), /grid or a basis/);
  assert.throws(
    () => KanLayer.create({ inputDim: 3, outputDim: 1, basis: [basis, basis], random }),
    /bases/,
  );
});

Deno.test("symbolic edges into any number of nodes agree with float64, gradients too", async () => {
  await tf.setBackend("wasm");
  for (const outputDim of [1, 2, 3]) {
    const model = createKanLayerModel({ inputDim: 2, outputDim, grid, random: createRandom(2) });
    const form = { name: "sin", inputScale: 2, inputShift: 0.3, outputScale: 1.5, outputShift: 1 };
    const symbolic = new Map([[0, form], [2 * outputDim - 1, { ...form, name: "x^2" }]]);
    const mask = model.mask.map((_, edge) => symbolic.has(edge) ? 0 : 1);
    const layer = KanLayer.fromModel({ ...model, mask, symbolic });
    const inputs = samplesFrom([[0.3, -0.8], [0.1, 0.6]]);
    const targets = { rows: 2, columns: outputDim, data: new Float64Array(2 * outputDim) };
    const plain = { layers: [{ ...model, mask, symbolic }] };
    const { loss, gradient } = evaluateObjective(plain, { inputs, targets }, "mse");
    const x = tf.tensor2d(Float32Array.from(inputs.data), [2, 2]);
    const { value, grads } = tf.variableGrads(
      () => layer.apply(x).square().mean() as tf.Scalar,
      layer.variables,
    );
    assert.ok(Math.abs(value.dataSync()[0]! - loss) < 1e-5 * (1 + loss));
    layer.variables.flatMap(({ name }) => [...grads[name]!.dataSync()]).forEach((slope, i) => {
      assert.ok(Math.abs(slope - gradient[i]!) < 1e-4 * (1 + Math.abs(gradient[i]!)));
    });
    layer.dispose();
  }
});
