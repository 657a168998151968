import "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs";
import assert from "node:assert";
import { uniformGrid } from "./grid.ts";
import { createRandom } from "../numeric/random.ts";
import type { Tensor2D, Tensor3D } from "../numeric/tensor_types.ts";
import { createBsplines } from "./bspline.ts";
import { expandBasis } from "./expansion.ts";
import { createGaussians } from "./global_bases.ts";
import { applyLocalSplines } from "./local_splines.ts";

const spline = (order: number, end = 1) =>
  createBsplines(uniformGrid({ intervals: 7, order, range: [-1, end] }), "linear");
const cases = [
  { name: "cubic splines", bases: [spline(3)], outputs: 5 },
  {
    name: "order-1 splines on one grid an input",
    bases: [spline(1), spline(1, 2), spline(1, 3)],
    outputs: 8,
  },
  { name: "a global basis", bases: [createGaussians()], outputs: 3 },
];
for (const { name, bases, outputs } of cases) {
  for (const backend of ["cpu", "wasm"]) {
    Deno.test(`${name} on ${backend}: the local path agrees with the dense one, gradients too`, async () => {
      await tf.setBackend(backend);
      const random = createRandom(1);
      const draw = (length: number) =>
        Float32Array.from({ length }, () => 1.2 * (2 * random.uniform() - 1));
      const size = bases[0]!.size;
      const x = tf.tensor2d(draw(70 * 3), [70, 3]);
      const weights = tf.tensor3d(draw(3 * size * outputs), [3, size, outputs]);
      const dense = (a: tf.Tensor, b: tf.Tensor) =>
        tf.matMul(
          expandBasis(bases, a as Tensor2D).reshape([70, 3 * size]),
          b.reshape([3 * size, outputs]),
        );
      const local = (a: tf.Tensor, b: tf.Tensor) =>
        applyLocalSplines(bases, a as Tensor2D, b as Tensor3D);
      const [expected, actual] = [dense, local].map((path) => {
        const gradients = tf.grads((a, b) => path(a, b).square().sum())([x, weights]);
        return [path(x, weights), ...gradients].map((tensor) => tensor.dataSync());
      });
      expected!.forEach((values, at) => {
        const scale = Math.max(...values.map(Math.abs));
        values.forEach((value, i) => assert.ok(Math.abs(actual![at]![i]! - value) < 1e-5 * scale));
      });
    });
  }
}

Deno.test("shapes that do not fit are refused", async () => {
  await tf.setBackend("cpu");
  const weights = tf.zeros([2, 10, 1]) as Tensor3D;
  assert.throws(
    () => applyLocalSplines([spline(3)], tf.zeros([4, 3]), weights),
    /weights \[2,10,1\]/,
  );
});
