import "@tensorflow/tfjs-backend-webgpu";
import * as tf from "@tensorflow/tfjs";
import assert from "node:assert";
import { createRandom } from "../../kan/numeric/random.ts";
import { needsWebGpu } from "../../kan/testdata/needs_webgpu.ts";
import { flattenMatrices } from "./flat_matrices.ts";
import { applySplineLayer, type SplineLayer } from "./spline_layer.ts";
import { trainAutoencoder } from "./train_autoencoder.ts";

const random = createRandom(1);
const data = Float32Array.from({ length: 64 * 64 }, () => random.normal());
const flat = flattenMatrices([{ name: "w", rows: 64, columns: 64, data }]);
const train = () =>
  trainAutoencoder(
    flat,
    { blockSize: 8, hiddenDim: 4, intervals: 4, steps: 80, batchSize: 64 },
    createRandom(2),
    {},
  );

function squaredError({ encoder, decoder }: { encoder: SplineLayer; decoder: SplineLayer }) {
  const blocks = data.length / encoder.inputDim;
  const latents = applySplineLayer(encoder, data, blocks);
  const found = applySplineLayer(decoder, latents, blocks);
  return found.reduce((sum, value, i) => sum + (value - data[i]!) ** 2, 0) / data.length;
}

Deno.test({
  ...needsWebGpu,
  name: "an autoencoder trains on WebGPU where that is the backend, as well as on WASM",
  // The device of tfjs lives as long as the process.
  sanitizeOps: false,
  sanitizeResources: false,
  async fn() {
    await tf.setBackend("cpu");
    const wasm = squaredError(await train());
    assert.equal(tf.getBackend(), "cpu");
    await tf.setBackend("webgpu");
    const webgpu = squaredError(await train());
    assert.equal(tf.getBackend(), "webgpu");
    assert.ok(wasm < 0.6, `${wasm}`);
    assert.ok(Math.abs(webgpu / wasm - 1) < 0.02, `${webgpu} against ${wasm}`);
  },
});
