import "@tensorflow/tfjs-backend-webgpu";
import * as tf from "@tensorflow/tfjs";
import assert from "node:assert";
import { createBsplines } from "./bases/bspline.ts";
import {
  createChebyshev,
  createFourier,
  createGaussians,
  createMexicanHats,
  createRationals,
} from "./bases/global_bases.ts";
import { evaluateKan, samplesFrom } from "./engine/evaluate.ts";
import { evaluateObjective } from "./engine/objective.ts";
import { createTensorObjective } from "./fitting/tensor_objective.ts";
import { fitKan } from "./fitting/fit.ts";
import { uniformGrid } from "./bases/grid.ts";
import { updateGrids } from "./fitting/grid_update.ts";
import { createKanModel, type KanModel, parametersOf } from "./model/model.ts";
import { createRandom } from "./numeric/random.ts";
import { fixSymbolic } from "./symbolic/suggest.ts";
import { needsWebGpu } from "./testdata/needs_webgpu.ts";

const random = createRandom(1);
const inputs = samplesFrom(
  Array.from({ length: 30 }, () => [1.5 * (2 * random.uniform() - 1), 2 * random.uniform() - 1]),
);
const targets = samplesFrom(Array.from({ length: 30 }, () => [random.normal()]));
const grid = uniformGrid({ intervals: 5 });
const widths = [2, { sums: 1, products: [2] }, 1] as const;
const models: Record<string, KanModel> = Object.fromEntries(
  Object.entries({
    "clamped splines": createBsplines(grid, "clamp"),
    "linear splines": createBsplines(grid, "linear"),
    "fading splines": createBsplines(grid, "zero"),
    "Gaussians": createGaussians(),
    "Mexican hats": createMexicanHats(),
    "Chebyshev": createChebyshev(4),
    "Fourier": createFourier(3),
    "rational": createRationals(),
  }).map(([name, basis]) => [name, createKanModel({ widths, basis, random: createRandom(2) })]),
);
const splines = models["linear splines"]!;
models["a grid for each input"] = updateGrids(splines, inputs);
models["a symbolic edge"] = fixSymbolic(splines, inputs, { layer: 0, input: 0, output: 0 }, "sin");

for (const [name, model] of Object.entries(models)) {
  Deno.test({
    name: `${name}: WebGPU gives the value and the gradient of float64`,
    ...needsWebGpu,
    // The device of tfjs lives as long as the process.
    sanitizeOps: false,
    sanitizeResources: false,
    async fn() {
      await tf.setBackend("webgpu");
      const data = { inputs, targets }, penalty = { lambda: 0.01 };
      const expected = evaluateObjective(model, data, "mse", penalty);
      const objective = createTensorObjective(model, "mse", penalty);
      const actual = await objective.evaluate(parametersOf(model), data);
      objective.dispose();
      assert.ok(Math.abs(actual.value - expected.value) < 1e-4 * (1 + expected.value));
      const scale = Math.max(...expected.gradient.map(Math.abs));
      expected.gradient.forEach((value, i) => {
        assert.ok(Math.abs(actual.gradient[i]! - value) < 1e-3 * scale, `${i}`);
      });
    },
  });
}

for (const optimizer of ["lbfgs", "adam"] as const) {
  Deno.test({
    ...needsWebGpu,
    name: `a network is fitted on WebGPU by ${optimizer}`,
    sanitizeOps: false,
    sanitizeResources: false,
    async fn() {
      await tf.setBackend("webgpu");
      const x = Array.from({ length: 40 }, (_, i) => [-1 + i / 20]);
      const data = {
        inputs: samplesFrom(x),
        targets: samplesFrom(x.map(([each]) => [Math.sin(3 * each!)])),
      };
      const model = createKanModel({ widths: [1, 1], random: createRandom(0) });
      const steps = optimizer === "adam" ? 60 : 12;
      const options = { optimizer, steps, learningRate: 0.05, engine: "tfjs" } as const;
      const fitted = await fitKan(model, data, options);
      assert.equal(tf.getBackend(), "webgpu");
      const found = evaluateKan(fitted.model, data.inputs).data;
      const error = found.reduce((sum, y, i) => sum + (y - data.targets.data[i]!) ** 2, 0) / 40;
      assert.ok(error < 5e-3, `${error}`);
    },
  });
}
