import "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs";
import assert from "node:assert";
import { createChebyshev } from "../bases/global_bases.ts";
import { createKanModel, type KanModel, parametersOf, withParameters } from "../model/model.ts";
import { createRandom } from "../numeric/random.ts";
import type { SymbolicEdge } from "../model/symbolic_functions.ts";
import { evaluateLoss, type Loss } from "./losses.ts";
import { type DataSet, evaluateObjective } from "./objective.ts";
import type { Regularization } from "./regularizer.ts";
import { createTensorObjective } from "../fitting/tensor_objective.ts";

function drawData(columns: number, outputs: number, rows = 20): DataSet {
  const random = createRandom(8);
  const draw = (count: number) => ({
    rows,
    columns: count,
    data: Float64Array.from({ length: rows * count }, () => 2 * random.uniform() - 1),
  });
  return { inputs: draw(columns), targets: draw(outputs) };
}

function withSymbolicEdge(model: KanModel): KanModel {
  const [first, ...rest] = model.layers;
  const edge: SymbolicEdge = {
    name: "sin",
    inputScale: 1.3,
    inputShift: 0.2,
    outputScale: -0.7,
    outputShift: 0.4,
  };
  const mask = first!.mask.slice();
  mask[1] = 0;
  mask[2] = 0;
  return { layers: [{ ...first!, mask, symbolic: new Map([[1, edge]]) }, ...rest] };
}

const logCosh = (output: Float64Array, target: Float64Array) =>
  output.reduce((sum, value, i) => sum + Math.log(Math.cosh(value - target[i]!)), 0);

const plain = createKanModel({ widths: [2, 3, 2], random: createRandom(3) });
const products = createKanModel({
  widths: [2, { sums: 1, products: [2, 3] }, 2],
  random: createRandom(3),
  extrapolation: "linear",
});
const cases: { name: string; model: KanModel; loss: Loss; regularization?: Regularization }[] = [
  { name: "two layers", model: plain, loss: "mse" },
  { name: "cross-entropy", model: plain, loss: "crossEntropy" },
  { name: "the penalty", model: plain, loss: "mse", regularization: { lambda: 0.1 } },
  {
    name: "penalties of coefficients",
    model: plain,
    loss: "mse",
    regularization: { lambda: 0.1, coefficients: 0.3, coefficientChanges: 0.7 },
  },
  {
    name: "the penalty of spreads alone",
    model: plain,
    loss: "mse",
    regularization: { lambda: 0.1, metric: "unnormalized" },
  },
  {
    name: "the penalty of attributions",
    model: products,
    loss: "mse",
    regularization: { lambda: 0.1, metric: "backward", coefficients: 0.1 },
  },
  { name: "absolute errors", model: plain, loss: "mae" },
  { name: "binary cross-entropy", model: plain, loss: "binaryCrossEntropy" },
  { name: "a loss of one's own", model: plain, loss: logCosh },
  {
    name: "a loss of one's own with its gradient, and the penalty",
    model: plain,
    loss: {
      value: logCosh,
      gradient: (output, target) => output.map((o, i) => Math.tanh(o - target[i]!)),
    },
    regularization: { lambda: 0.1 },
  },
  { name: "multiplication nodes", model: products, loss: "mse" },
  { name: "a symbolic edge and a removed one", model: withSymbolicEdge(products), loss: "mse" },
  {
    name: "symbolic edges and the penalty",
    model: withSymbolicEdge(plain),
    loss: "mse",
    regularization: { lambda: 0.1, l1: 0.5, entropy: 3 },
  },
  {
    name: "a basis without a grid, no scales, no base",
    model: createKanModel({
      widths: [2, 3, 2],
      basis: createChebyshev(3),
      initialization: "chebykan",
      base: "none",
      splineScale: false,
      random: createRandom(3),
    }),
    loss: "mse",
  },
];

for (const { name, model, loss, regularization } of cases) {
  const data = drawData(2, 2);
  if (loss === "crossEntropy" || loss === "binaryCrossEntropy") {
    for (let row = 0; row < 20; row++) data.targets.data.set([row % 2, 1 - row % 2], 2 * row);
  }

  Deno.test(`${name}: the float64 gradient agrees with finite differences`, () => {
    const parameters = parametersOf(model);
    const at = (moved: Float64Array) =>
      evaluateObjective(withParameters(model, moved), data, loss, regularization);
    const { gradient } = at(parameters);
    const step = 1e-5;
    parameters.forEach((parameter, i) => {
      const above = parameters.with(i, parameter + step),
        below = parameters.with(i, parameter - step);
      const difference = (at(above).value - at(below).value) / (2 * step);
      assert.ok(Math.abs(gradient[i]! - difference) < 1e-7, `${i}: ${gradient[i]} ${difference}`);
    });
  });

  for (const backend of regularization?.metric === "backward" ? [] : ["cpu", "wasm"]) {
    Deno.test(`${name}: tfjs on ${backend} gives the same value and gradient`, async () => {
      await tf.setBackend(backend);
      const before = tf.memory().numTensors;
      const expected = evaluateObjective(model, data, loss, regularization);
      const objective = createTensorObjective(model, loss, regularization);
      const actual = await objective.evaluate(parametersOf(model), data);
      objective.dispose();
      assert.ok(Math.abs(actual.value - expected.value) < 1e-5 * Math.abs(expected.value));
      assert.ok(Math.abs(actual.loss - expected.loss) < 1e-5 * Math.abs(expected.loss));
      expected.gradient.forEach((value, i) => {
        assert.ok(Math.abs(actual.gradient[i]! - value) < 1e-5, `${i}`);
      });
      assert.equal(tf.memory().numTensors, before);
    });
  }
}

Deno.test("data that do not fit the model are refused", () => {
  assert.throws(() => evaluateObjective(plain, drawData(2, 3), "mse"), /2 outputs for 20 samples/);
  assert.throws(() => evaluateObjective(plain, drawData(3, 2), "mse"), /2 inputs, the samples 3/);
  assert.throws(() => evaluateObjective(plain, drawData(2, 2, 0), "mse"), /at least 1 sample/);
});

Deno.test("one logit and two outputs of cross entropy are the same loss", () => {
  const logits = [0.3, -2, 40, -800], labels = [1, 0, 1, 1];
  const one = evaluateLoss("binaryCrossEntropy", Float64Array.from(logits), {
    rows: 4,
    columns: 1,
    data: Float64Array.from(labels),
  });
  const two = evaluateLoss("crossEntropy", Float64Array.from(logits.flatMap((z) => [0, z])), {
    rows: 4,
    columns: 2,
    data: Float64Array.from(labels.flatMap((label) => [1 - label, label])),
  });
  assert.ok(Math.abs(one.value - two.value) < 1e-12 && one.value > 200);
  one.gradient.forEach((slope, row) =>
    assert.ok(Math.abs(slope - two.gradient[2 * row + 1]!) < 1e-15)
  );
});
