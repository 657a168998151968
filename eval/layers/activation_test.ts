import assert from "node:assert";
import * as tf from "@tensorflow/tfjs";
import { useBackend } from "../compute/backend.ts";
import { type ActivationName, activationNames } from "../architectures/activation_names.ts";
import { activate } from "./activation.ts";

/** Φ(x) by Simpson's rule. */
function normalDistribution(x: number): number {
  const steps = 2000;
  const density = (t: number) => Math.exp(-t * t / 2) / Math.sqrt(2 * Math.PI);
  let sum = density(0) + density(x);
  for (let i = 1; i < steps; i++) sum += density(x * i / steps) * (i % 2 === 1 ? 4 : 2);
  return 0.5 + sum * x / steps / 3;
}

const expected: Record<string, (x: number) => number> = {
  gelu: (x) => x * normalDistribution(x),
  gelu_new: (x) => x / 2 * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
  quick_gelu: (x) => x / (1 + Math.exp(-1.702 * x)),
  relu: (x) => Math.max(0, x),
  silu: (x) => x / (1 + Math.exp(-x)),
};

for (const [name, reference] of Object.entries(expected)) {
  Deno.test(`${name} follows its definition`, async () => {
    await useBackend("wasm");
    const xs = Array.from({ length: 81 }, (_, i) => i / 8 - 5);
    const found = activate(name as ActivationName, tf.tensor2d([xs])).dataSync();
    xs.forEach((x, i) => assert.ok(Math.abs(found[i]! - reference(x)) < 2e-6, `${x}`));
  });
}

Deno.test("every name can be applied", () => {
  for (const name of activationNames) assert.equal(activate(name, tf.zeros([1, 2])).size, 2);
});
