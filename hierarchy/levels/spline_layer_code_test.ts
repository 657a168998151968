import assert from "node:assert";
import fc from "fast-check";
import { createRandom } from "../../kan/numeric/random.ts";
import { RansDecoder, RansEncoder } from "../entropy/rans.ts";
import type { SplineLayer } from "./spline_layer.ts";
import { putSplineLayer, takeSplineLayer } from "./spline_layer_code.ts";

const size = fc.integer({ min: 1, max: 7 });

function randomLayer(inputDim: number, outputDim: number, intervals: number, seed: number) {
  const random = createRandom(seed);
  const length = inputDim * outputDim * (intervals + 3);
  const coefficients = Float32Array.from({ length }, () => random.normal());
  return { inputDim, outputDim, intervals, range: 2, coefficients };
}

function store(layer: SplineLayer, bits: number): Uint8Array {
  const encoder = new RansEncoder();
  putSplineLayer(encoder, layer, bits);
  return encoder.finish();
}

Deno.test("a stored layer is within half a step, whatever its shape and bits", () => {
  const bits = fc.integer({ min: 2, max: 16 });
  fc.assert(
    fc.property(size, size, size, bits, fc.nat(), (inputDim, outputDim, intervals, b, s) => {
      const layer = randomLayer(inputDim, outputDim, intervals, s);
      const decoder = new RansDecoder(store(layer, b));
      const loaded = takeSplineLayer(decoder, layer, b);
      assert.ok(decoder.isAtEnd());
      const largest = new Float64Array(outputDim);
      layer.coefficients.forEach((c, i) => {
        largest[i % outputDim] = Math.max(largest[i % outputDim]!, Math.abs(c));
      });
      layer.coefficients.forEach((c, i) => {
        const step = largest[i % outputDim]! / (2 ** (b - 1) - 1) * 2 ** (1 / 16);
        assert.ok(Math.abs(loaded.coefficients[i]! - c) <= step / 2 * (1 + 1e-6));
      });
    }),
  );
});

Deno.test("storing takes about the bits asked for, and less where coefficients are small", () => {
  const layer = randomLayer(20, 40, 4, 1);
  const bytes = store(layer, 8).length;
  assert.ok(bytes < layer.coefficients.length + 100, `${bytes} bytes`);
  layer.coefficients.forEach((value, i) => {
    if (Math.floor(i / 40) % 7 !== 0) layer.coefficients[i] = value / 50;
  });
  assert.ok(store(layer, 8).length < 0.6 * layer.coefficients.length);
});

Deno.test("a zero layer stays zero", () => {
  const layer = { ...randomLayer(3, 4, 4, 1), coefficients: new Float32Array(3 * 4 * 7) };
  const loaded = takeSplineLayer(new RansDecoder(store(layer, 8)), layer, 8);
  assert.deepEqual(loaded.coefficients, layer.coefficients);
});
