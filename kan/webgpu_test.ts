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
import { samplesFrom } from "./engine/evaluate.ts";
import { evaluateObjective } from "./engine/objective.ts";
import { createTensorObjective } from "./engine/tensor_objective.ts";
import { uniformGrid } from "./grid.ts";
import { updateGrids } from "./grid_update.ts";
import { createKanModel, type KanModel, parametersOf } from "./model.ts";
import { createRandom } from "./random.ts";
import { fixSymbolic } from "./symbolic/suggest.ts";

/** Needs a Vulkan, Metal or DirectX driver; a software one serves. */
const adapter = await navigator.gpu?.requestAdapter().catch(() => null) ?? null;

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
    ignore: adapter === null,
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
