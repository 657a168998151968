import type * as tf from "@tensorflow/tfjs";
import type { Random } from "../../kan/numeric/random.ts";
import type { LayerKernels } from "./layer_kernels.ts";

/**
 * Draws a label for each row of logits, `[rows, outputs]`, and replaces it by the gradient of the loss,
 * softmax - onehot(label). Adds p (1 - p) of each logit to `fisher`; returns the sum of that in each row.
 */
export function drawLosses(
  kernels: LayerKernels,
  logits: tf.Tensor2D,
  fisher: Float64Array,
  random: Random,
): Float32Array {
  const [rows, outputs] = logits.shape;
  const energies = new Float32Array(rows);
  const scratch = kernels.scratch(8 * outputs);
  kernels.doubles(scratch, outputs).set(fisher);
  for (let row = 0; row < rows; row++) {
    const at = kernels.at(logits) + 4 * row * outputs;
    energies[row] = kernels.run.drawLoss(outputs, at, random.uniform(), scratch);
  }
  fisher.set(kernels.doubles(scratch, outputs));
  return energies;
}
