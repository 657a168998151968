import assert from "node:assert";
import * as tf from "@tensorflow/tfjs";
import { createRandom } from "../../kan/numeric/random.ts";
import { useBackend } from "../compute/backend.ts";
import { layerKernels } from "./layer_kernels.ts";
import { sumLogits } from "./score_logits.ts";

await useBackend("wasm");
const kernels = layerKernels()!;

Deno.test("sums of exponentials are those of Math.exp to 1e-14, of any number of logits", () => {
  const random = createRandom(1);
  for (const outputs of [1, 2, 3, 7, 64, 1001]) {
    const rows = 3;
    // Some far below the largest, whose exponentials vanish.
    const draw = () =>
      Float32Array.from(
        { length: rows * outputs },
        () => random.normal() * 10 ** random.integer(4),
      );
    const [a, b] = [draw(), draw()];
    const tensors = [a, b].map((values) => tf.tensor2d(values, [rows, outputs]));
    for (const models of [1, 2]) {
      sumLogits(kernels, tensors.slice(0, models), (row, found) => {
        const [own, other] = [a, b].map((x) => x.subarray(row * outputs, (row + 1) * outputs));
        const top = own!.indexOf(Math.max(...own!)), otherTop = other!.indexOf(Math.max(...other!));
        let sum = 0, otherSum = 0, difference = 0, size = 0;
        own!.forEach((value, i) => {
          const exponential = Math.exp(value - own![top]!);
          sum += exponential;
          otherSum += Math.exp(other![i]! - other![otherTop]!);
          difference += exponential * (value - other![i]!);
          size += exponential * Math.abs(value - other![i]!);
        });
        assert.equal(found.top, top);
        assert.ok(Math.abs(found.sum / sum - 1) < 1e-14);
        assert.equal(found.logit(0, 0), own![0]);
        if (models === 1) return;
        assert.equal(found.otherTop, otherTop);
        assert.ok(Math.abs(found.otherSum / otherSum - 1) < 1e-14);
        assert.ok(Math.abs(found.difference - difference) <= 1e-14 * size);
        assert.equal(found.logit(1, otherTop), other![otherTop]);
      });
    }
    tf.dispose(tensors);
  }
});

Deno.test("of equal logits the first is the likeliest", () => {
  const logits = tf.tensor2d([1, 5, 2, 5, 5, 0, 5], [1, 7]);
  sumLogits(kernels, [logits], (_, { top }) => assert.equal(top, 1));
  logits.dispose();
});
