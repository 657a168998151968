import "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs";
import assert from "node:assert";
import { createRandom } from "../numeric/random.ts";
import type { Tensor2D, Tensor3D } from "../numeric/tensor_types.ts";
import type { BaseFunction } from "./base_function.ts";
import { createBsplines } from "./bspline.ts";
import { applyDenseEdges } from "./dense_edges.ts";
import { uniformGrid } from "./grid.ts";
import { applyLocalEdges } from "./local_edges.ts";

const bases = [createBsplines(uniformGrid({ intervals: 5 }))];
const shapes = { x: [40, 3], coefficients: [3, 8, 5], splineScales: [3, 5], baseWeights: [3, 5] };
type Name = keyof typeof shapes;

function draw(name: Name, seed: number): tf.Tensor {
  const random = createRandom(seed), shape = shapes[name];
  const length = shape.reduce((product, count) => product * count);
  return tf.tensor(Float32Array.from({ length }, () => 1.2 * (2 * random.uniform() - 1)), shape);
}

function close(actual: tf.Tensor, expected: tf.Tensor, what: string): void {
  const [a, b] = [actual.dataSync(), expected.dataSync()];
  const scale = Math.max(...b.map(Math.abs));
  b.forEach((value, i) => assert.ok(Math.abs(a[i]! - value) < 2e-5 * scale, what));
}

const kinds: { base: BaseFunction; names: Name[]; isMasked: boolean }[] = [
  { base: "silu", names: ["x", "coefficients", "splineScales", "baseWeights"], isMasked: false },
  { base: "silu", names: ["x", "coefficients", "splineScales", "baseWeights"], isMasked: true },
  { base: "identity", names: ["x", "coefficients", "baseWeights"], isMasked: true },
  { base: "none", names: ["x", "coefficients"], isMasked: false },
];
for (const { base, names, isMasked } of kinds) {
  const name = `${base} with ${names}${isMasked ? ", masked" : ""}`;
  Deno.test(`${name}: sums and both derivatives are those of dense edges`, async () => {
    await tf.setBackend("wasm");
    const before = tf.memory().numTensors;
    tf.tidy(() => {
      const mask = tf.tensor2d(Float32Array.from({ length: 15 }, (_, i) => i % 4 ? 1 : 0), [3, 5]);
      const values = names.map((each, i) => draw(each, i));
      const [dense, local] = [applyDenseEdges, applyLocalEdges].map((apply) => {
        const sums = (...inputs: tf.Tensor[]) => {
          const { x, ...trained } = Object.fromEntries(names.map((each, i) => [each, inputs[i]!]));
          const { coefficients, ...factors } = trained as Record<string, Tensor2D>;
          const edges = { bases, base, coefficients: coefficients as unknown as Tensor3D };
          return apply({ ...edges, ...factors, ...(isMasked && { mask }) }, x as Tensor2D);
        };
        const loss = (...inputs: tf.Tensor[]) => sums(...inputs).square().mean();
        const slopes = (...inputs: tf.Tensor[]) =>
          tf.addN(tf.grads(loss)(inputs).map((slope) => slope.square().sum()));
        return {
          sums: sums(...values),
          alone: names.map((_, at) =>
            tf.grad((value: tf.Tensor) => loss(...values.with(at, value)))(values[at]!)
          ),
          together: tf.grads(loss)(values),
          second: tf.grads(slopes)(values),
        };
      });
      close(local!.sums, dense!.sums, "sums");
      for (const kind of ["alone", "together", "second"] as const) {
        names.forEach((each, at) => close(local![kind][at]!, dense![kind][at]!, `${kind} ${each}`));
      }
    });
    assert.equal(tf.memory().numTensors, before);
  });
}

Deno.test("inputs and weights that change between passes are seen", async () => {
  await tf.setBackend("cpu");
  const x = tf.variable(draw("x", 1)), coefficients = tf.variable(draw("coefficients", 2));
  const edges = { bases, base: "none" as const, coefficients: coefficients as tf.Tensor3D };
  const loss = () => applyLocalEdges(edges, x as tf.Tensor2D).square().mean() as tf.Scalar;
  const optimizer = tf.train.sgd(0.1);
  const losses = Array.from({ length: 5 }, () => {
    return optimizer.minimize(loss, true, [x, coefficients])!.dataSync()[0]!;
  });
  assert.ok(losses.every((value, i) => i === 0 || value < losses[i - 1]!), `${losses}`);
});
