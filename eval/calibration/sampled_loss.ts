import * as tf from "@tensorflow/tfjs";
import type { Random } from "../../kan/random.ts";
import { readValues } from "../backend.ts";
import { logitsBlockSize, type RunnableModel } from "../chunk_scorer.ts";
import { applyHead } from "../forward.ts";

/** The head's part of a backward pass whose labels are drawn from the model itself. */
export interface SampledLoss {
  /** Gradient of the summed negative log-likelihoods by the hidden states, `[tokens, hidden]`. */
  readonly hiddenGradient: Float32Array;
  /** Σ p (1 - p) over tokens for each logit: the expected square of its gradient. */
  readonly logitFisher: Float64Array;
}

/** Draws a label for each row of hidden states and differentiates the loss. */
export async function sampledLoss(
  { description, parameters }: RunnableModel,
  hidden: Float32Array,
  random: Random,
): Promise<SampledLoss> {
  const { vocabularySize, hiddenSize, head } = description;
  const tokens = hidden.length / hiddenSize;
  const hiddenGradient = new Float32Array(hidden.length);
  const logitFisher = new Float64Array(vocabularySize);
  const blockRows = Math.max(1, Math.floor(logitsBlockSize / vocabularySize));
  for (let start = 0; start < tokens; start += blockRows) {
    const end = Math.min(tokens, start + blockRows);
    const block = hidden.subarray(start * hiddenSize, end * hiddenSize);
    const logits = tf.tidy(() =>
      applyHead(description, parameters, tf.tensor2d(block, [end - start, hiddenSize]))
    );
    const values = await readValues(logits);
    logits.dispose();
    for (let at = 0; at < values.length; at += vocabularySize) {
      lossGradient(values.subarray(at, at + vocabularySize), logitFisher, random);
    }
    const gradient = tf.tidy(() =>
      tf.matMul(
        tf.tensor2d(values, [end - start, vocabularySize]),
        parameters.transposedMatrix(head.weight),
      )
    );
    hiddenGradient.set(await readValues(gradient), start * hiddenSize);
    gradient.dispose();
  }
  return { hiddenGradient, logitFisher };
}

/** Replaces one token's logits by softmax - onehot(label) and adds p (1 - p) to `fisher`. */
export function lossGradient(logits: Float32Array, fisher: Float64Array, random: Random): void {
  let largest = -Infinity;
  for (let i = 0; i < logits.length; i++) if (logits[i]! > largest) largest = logits[i]!;
  let sum = 0;
  for (let i = 0; i < logits.length; i++) {
    const exponential = Math.exp(logits[i]! - largest);
    logits[i] = exponential;
    sum += exponential;
  }
  let rest = random.uniform();
  let label = -1;
  for (let i = 0; i < logits.length; i++) {
    const share = logits[i]! / sum;
    fisher[i]! += share * (1 - share);
    logits[i] = share;
    rest -= share;
    if (label < 0 && rest < 0) label = i;
  }
  // Rounding may leave a rest; the last token of positive probability stands for it.
  if (label < 0) label = logits.findLastIndex((share) => share > 0);
  logits[label]! -= 1;
}
