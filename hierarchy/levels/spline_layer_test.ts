import assert from "node:assert";
import fc from "fast-check";
import { bsplineBasis } from "../../kan/bases/bspline.ts";
import { uniformGrid } from "../../kan/bases/grid.ts";
import { createRandom } from "../../kan/numeric/random.ts";
import { applySplineLayer, type SplineLayer } from "./spline_layer.ts";

function randomLayer(inputDim: number, outputDim: number, intervals: number, seed: number) {
  const random = createRandom(seed);
  const length = inputDim * outputDim * (intervals + 3);
  const coefficients = Float32Array.from({ length }, () => random.normal());
  return { inputDim, outputDim, intervals, range: 0.5 + 4 * random.uniform(), coefficients };
}

Deno.test("applySplineLayer() agrees with the B-spline basis of kan/", () => {
  const size = fc.integer({ min: 1, max: 6 });
  fc.assert(fc.property(size, size, size, fc.nat(), (inputDim, outputDim, intervals, seed) => {
    const layer = randomLayer(inputDim, outputDim, intervals, seed);
    const random = createRandom(seed + 1);
    const rows = 3;
    const inputs = Float32Array.from(
      { length: rows * inputDim },
      () => (2 * random.uniform() - 1) * layer.range * 0.999,
    );
    const grid = uniformGrid({ intervals, order: 3, range: [-layer.range, layer.range] });
    const outputs = applySplineLayer(layer, inputs, rows);
    for (let row = 0; row < rows; row++) {
      for (let o = 0; o < outputDim; o++) {
        let expected = 0;
        for (let i = 0; i < inputDim; i++) {
          bsplineBasis(grid, inputs[row * inputDim + i]!).forEach((value, k) => {
            expected += layer.coefficients[(i * (intervals + 3) + k) * outputDim + o]! * value;
          });
        }
        assert.ok(Math.abs(outputs[row * outputDim + o]! - expected) < 1e-5);
      }
    }
  }));
});

Deno.test("coefficients at the knot means reproduce the identity, clamped to the grid", () => {
  const intervals = 5, range = 2.5;
  const coefficients = Float32Array.from({ length: intervals + 3 }, (_, k) => k - 1 - range);
  const layer: SplineLayer = { inputDim: 1, outputDim: 1, intervals, range, coefficients };
  const inputs = Float32Array.of(-9, -2.5, -1.25, 0, 0.5, 2.5, 1e30);
  const clamped = [-2.5, -2.5, -1.25, 0, 0.5, 2.5, 2.5];
  applySplineLayer(layer, inputs, inputs.length).forEach((output, i) => {
    assert.ok(Math.abs(output - clamped[i]!) < 1e-6);
  });
});
