import * as tf from "@tensorflow/tfjs";
import assert from "node:assert";
import type { Tensor2D } from "../numeric/tensor_types.ts";
import { applyBase, evaluateBase } from "./base_function.ts";

const points = [-30, -2.5, -0.4, 0, 0.7, 3, 25];

Deno.test("silu and its slopes are those of x / (1 + exp(-x)), on tensors too", async () => {
  await tf.setBackend("cpu");
  const { bases, baseSlopes } = evaluateBase("silu", Float64Array.from(points), true);
  const x = tf.tensor2d(points, [1, points.length]);
  const values = applyBase("silu", x).dataSync();
  const silu = (x: number) => x / (1 + Math.exp(-x));
  points.forEach((x, i) => {
    assert.ok(Math.abs(bases[i]! - silu(x)) < 1e-14);
    assert.ok(Math.abs(baseSlopes[i]! - (silu(x + 1e-5) - silu(x - 1e-5)) / 2e-5) < 1e-9);
    assert.ok(Math.abs(values[i]! - silu(x)) < 1e-5);
  });
});

Deno.test("derivatives of silu on tensors, up to the third", async () => {
  await tf.setBackend("cpu");
  const x = tf.tensor2d(points, [1, points.length]);
  let derivative = (input: tf.Tensor): tf.Tensor => applyBase("silu", input as Tensor2D);
  let expected = (x: number) => evaluateBase("silu", Float64Array.of(x), false).bases[0]!;
  for (let order = 1; order <= 3; order++) {
    const inner = derivative, before = expected, step = 10 ** (order - 5);
    derivative = (input) => tf.grad(inner)(input);
    expected = (x) => (before(x + step) - before(x - step)) / (2 * step);
    const values = derivative(x).dataSync();
    points.forEach((x, i) => assert.ok(Math.abs(values[i]! - expected(x)) < 3e-5, `${order} ${x}`));
  }
});

Deno.test("the identity is its argument, and there may be no base function", () => {
  const { bases, baseSlopes } = evaluateBase("identity", Float64Array.from(points), true);
  assert.deepEqual(Array.from(bases), points);
  assert.ok(baseSlopes.every((slope) => slope === 1));
  assert.equal(evaluateBase("none", Float64Array.from(points), true).bases.length, 0);
});
