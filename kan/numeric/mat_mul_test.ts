import * as tf from "@tensorflow/tfjs";
import "@tensorflow/tfjs-backend-wasm";
import assert from "node:assert";
import { createRandom } from "./random.ts";
import { matMul } from "./mat_mul.ts";
import type { Tensor2D } from "./tensor_types.ts";

Deno.test("matMul() and its first and second gradients are those of tfjs", async () => {
  const random = createRandom(1);
  const draw = (length: number) => Float32Array.from({ length }, () => random.normal());
  const leftValues = draw(6), rightValues = draw(12);
  for (const backend of ["cpu", "wasm"]) {
    await tf.setBackend(backend);
    tf.tidy(() => {
      const left = tf.tensor2d(leftValues, [2, 3]), right = tf.tensor2d(rightValues, [3, 4]);
      const results = [matMul, (a: Tensor2D, b: Tensor2D) => tf.matMul(a, b)].map((product) => {
        const loss = (a: tf.Tensor, b: tf.Tensor) =>
          product(a as Tensor2D, b as Tensor2D).square().sum();
        const slope = (a: tf.Tensor) => tf.grad((x) => loss(x, right))(a).square().sum();
        return [...tf.grads(loss)([left, right]), tf.grad(slope)(left)];
      });
      results[0]!.forEach((gradient, i) => {
        const expected = results[1]![i]!.dataSync();
        gradient.dataSync().forEach((value, j) => {
          assert.ok(Math.abs(value - expected[j]!) < 1e-4 * (1 + Math.abs(value)));
        });
      });
    });
  }
});
