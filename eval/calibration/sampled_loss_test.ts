import assert from "node:assert";
import * as tf from "@tensorflow/tfjs";
import { createRandom } from "../../kan/numeric/random.ts";
import { useBackend } from "../compute/backend.ts";
import { drawLosses } from "../kernels/draw_losses.ts";
import { layerKernels } from "../kernels/layer_kernels.ts";
import { lossGradient } from "./sampled_loss.ts";

Deno.test("the kernel draws the labels of the plain loss, with the same gradients and energies", async () => {
  await useBackend("wasm");
  const [rows, outputs] = [50, 37];
  const random = createRandom(4);
  const values = Float32Array.from({ length: rows * outputs }, () => 3 * random.normal());
  const logits = tf.tensor2d(values, [rows, outputs]);
  const fisher = new Float64Array(outputs).fill(1), expectedFisher = fisher.slice();
  const energies = drawLosses(layerKernels()!, logits, fisher, createRandom(7));
  const gradient = logits.dataSync();
  logits.dispose();
  const sameRandom = createRandom(7);
  for (let row = 0; row < rows; row++) {
    const own = values.subarray(row * outputs, (row + 1) * outputs);
    const energy = lossGradient(own, expectedFisher, sameRandom);
    assert.ok(Math.abs(energies[row]! - energy) < 1e-6);
    own.forEach((value, i) => assert.ok(Math.abs(gradient[row * outputs + i]! - value) < 1e-6));
  }
  expectedFisher.forEach((value, i) => assert.ok(Math.abs(fisher[i]! - value) < 1e-9 * value));
});
