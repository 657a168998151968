import * as tf from "@tensorflow/tfjs";
import type { Random } from "../../kan/numeric/random.ts";
import type { TransformerDescription } from "../architectures/description.ts";
import { readValues } from "../compute/backend.ts";
import { drawLosses } from "../kernels/draw_losses.ts";
import { type LayerKernels, layerKernels } from "../kernels/layer_kernels.ts";
import { addProduct } from "../kernels/multiply.ts";
import { headBlocks } from "../model/head_blocks.ts";
import { headLogits, headLogitsTensor } from "../model/head_logits.ts";
import type { RunnableModel } from "../model/runnable_model.ts";

/** The head's part of a backward pass whose labels are drawn from the model itself. */
export interface SampledLoss {
  /** Gradient of the summed negative log-likelihoods by the hidden states, `[tokens, hidden]`. */
  readonly hiddenGradient: Float32Array;
  /**
   * Σ p (1 - p) over tokens for each logit: the expected square of its gradient; where logits are
   * scaled or capped, of that by the head's product.
   */
  readonly logitFisher: Float64Array;
  /** The same summed over logits for each token. */
  readonly energies: Float32Array;
}

/** Logits that are held at once outside the heap; the head is read once for each such block. */
const logitsBlockSize = 16 * 2 ** 20;

/** What is done to the head's product before it is the logits. */
type LogitSettings = Pick<TransformerDescription, "logitScale" | "logitSoftCap">;

/** Draws a label for each row of hidden states and differentiates the loss. */
export async function sampledLoss(
  { description, parameters }: RunnableModel,
  hidden: Float32Array,
  random: Random,
): Promise<SampledLoss> {
  const { vocabularySize, hiddenSize } = description;
  const hiddenGradient = new Float32Array(hidden.length);
  const logitFisher = new Float64Array(vocabularySize);
  const energies = new Float32Array(hidden.length / hiddenSize);
  let token = 0;
  const isPlain = description.logitScale === undefined && description.logitSoftCap === undefined;
  const kernels = isPlain ? layerKernels() : undefined;
  const blockSize = hiddenSize * Math.max(1, Math.floor(logitsBlockSize / vocabularySize));
  for (let start = 0; start < hidden.length; start += blockSize) {
    const block = hidden.subarray(start, start + blockSize);
    if (kernels !== undefined) {
      const logits = headLogitsTensor({ description, parameters }, kernels, block);
      const found = drawLosses(kernels, logits, logitFisher, random);
      energies.set(found, token);
      token += found.length;
      hiddenGradient.set(
        headGradientByKernels(kernels, { description, parameters }, logits),
        start,
      );
      continue;
    }
    const logits = await headLogits({ description, parameters }, block);
    for (let at = 0; at < logits.length; at += vocabularySize) {
      const row = logits.subarray(at, at + vocabularySize);
      energies[token++] = lossGradient(row, logitFisher, random, description);
    }
    hiddenGradient.set(await headGradient({ description, parameters }, logits), start);
  }
  return { hiddenGradient, logitFisher, energies };
}

/** As {@linkcode headGradient}; frees the gradient by the logits. */
function headGradientByKernels(
  kernels: LayerKernels,
  { description: { head, hiddenSize }, parameters }: RunnableModel,
  dLogits: tf.Tensor2D,
): Float32Array {
  const sum = kernels.zeros(dLogits.shape[0], hiddenSize);
  for (const [start, end] of headBlocks(head)) {
    const { tensor, transposed } = parameters.columnsForProducts(head.weight, start, end);
    addProduct(kernels, sum, dLogits, start, { tensor, transposed: !transposed });
    parameters.release();
  }
  const gradient = sum.dataSync<"float32">();
  tf.dispose([sum, dLogits]);
  return gradient;
}

/** Gradient by the hidden states, given that by the logits. */
async function headGradient(
  { description, parameters }: RunnableModel,
  dLogits: Float32Array,
): Promise<Float32Array> {
  const { vocabularySize, hiddenSize, head } = description;
  const rows = dLogits.length / vocabularySize;
  let sum = tf.zeros<tf.Rank.R2>([rows, hiddenSize]);
  for (const [start, end] of headBlocks(head)) {
    const values = new Float32Array(rows * (end - start));
    for (let row = 0; row < rows; row++) {
      const from = row * vocabularySize;
      values.set(dLogits.subarray(from + start, from + end), row * (end - start));
    }
    const before = sum;
    sum = tf.tidy(() => {
      const part = tf.tensor2d(values, [rows, end - start]);
      return tf.add(
        before,
        tf.matMul(part, parameters.transposedColumns(head.weight, start, end)),
      );
    });
    before.dispose();
    parameters.release();
  }
  const gradient = await readValues(sum);
  sum.dispose();
  return gradient;
}

/**
 * Replaces one token's logits by softmax - onehot(label), adds p (1 - p) to `fisher` and returns the sum
 * of that; all times the slope (fisher: its square) of the logits by the head's product.
 */
export function lossGradient(
  logits: Float32Array,
  fisher: Float64Array,
  random: Random,
  { logitScale = 1, logitSoftCap = Infinity }: LogitSettings = {},
): number {
  const slopes = logitScale === 1 && logitSoftCap === Infinity
    ? undefined
    : logits.map((logit) => logitScale * (1 - (logit / logitSoftCap) ** 2));
  let largest = -Infinity;
  for (let i = 0; i < logits.length; i++) if (logits[i]! > largest) largest = logits[i]!;
  let sum = 0;
  for (let i = 0; i < logits.length; i++) {
    const exponential = Math.exp(logits[i]! - largest);
    logits[i] = exponential;
    sum += exponential;
  }
  let rest = random.uniform();
  let label = -1, energy = 0;
  for (let i = 0; i < logits.length; i++) {
    const share = logits[i]! / sum;
    const slope = slopes?.[i] ?? 1;
    const variance = slope * slope * share * (1 - share);
    fisher[i]! += variance;
    energy += variance;
    logits[i] = share;
    rest -= share;
    if (label < 0 && rest < 0) label = i;
  }
  // Rounding may leave a rest; the last token of positive probability stands for it.
  if (label < 0) label = logits.findLastIndex((share) => share > 0);
  logits[label]! -= 1;
  if (slopes !== undefined) slopes.forEach((slope, i) => logits[i]! *= slope);
  return energy;
}
