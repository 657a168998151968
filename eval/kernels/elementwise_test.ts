import assert from "node:assert";
import * as tf from "@tensorflow/tfjs";
import { createRandom } from "../../kan/numeric/random.ts";
import type { ActivationName } from "../architectures/activation_names.ts";
import { useBackend } from "../compute/backend.ts";
import { activateAll } from "./activate_all.ts";
import { layerKernels } from "./layer_kernels.ts";
import { normalizeRows } from "./normalize_rows.ts";

await useBackend("wasm");
const kernels = layerKernels()!;
const random = createRandom(5);
const draw = (length: number) => Float32Array.from({ length }, () => 3 * random.normal());

Deno.test("norms of rows of any size are those of float64", () => {
  for (const size of [1, 4, 7, 66]) {
    const [x, weight, bias] = [draw(5 * size), draw(size), draw(size)];
    for (const kind of ["layerNorm", "rmsNorm"] as const) {
      const norm = { kind, size, epsilon: 1e-3, weightOffset: 1 };
      const found = normalizeRows(kernels, tf.tensor2d(x, [5, size]), {
        ...norm,
        weight: tf.tensor1d(weight),
        bias: kind === "layerNorm" ? tf.tensor1d(bias) : undefined,
      }).dataSync();
      for (let row = 0; row < 5; row++) {
        const values = Array.from(x.subarray(row * size, (row + 1) * size));
        const mean = kind === "layerNorm" ? values.reduce((a, b) => a + b) / size : 0;
        const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / size;
        values.forEach((value, i) => {
          const expected = (value - mean) / Math.sqrt(variance + 1e-3) * (weight[i]! + 1) +
            (kind === "layerNorm" ? bias[i]! : 0);
          assert.ok(Math.abs(found[row * size + i]! - expected) < 1e-5);
        });
      }
    }
  }
});

const activations: Partial<Record<ActivationName, (x: number) => number>> = {
  relu: (x) => Math.max(0, x),
  silu: (x) => x / (1 + Math.exp(-x)),
  quick_gelu: (x) => x / (1 + Math.exp(-1.702 * x)),
  gelu_new: (x) => x / 2 * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
};

Deno.test("activations of any number of values, gated or not, are those of float64", () => {
  for (const [name, apply] of Object.entries(activations)) {
    const [x, gate] = [draw(21), draw(21)];
    for (const gated of [false, true]) {
      const found = activateAll(
        kernels,
        name as ActivationName,
        tf.tensor2d(x, [3, 7]),
        gated ? tf.tensor2d(gate, [3, 7]) : undefined,
      ).dataSync();
      x.forEach((value, i) => {
        const expected = apply(value) * (gated ? gate[i]! : 1);
        assert.ok(Math.abs(found[i]! - expected) <= 1e-6 * (1 + Math.abs(expected)), name);
      });
    }
  }
});
