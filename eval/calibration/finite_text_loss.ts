import type { TransformerDescription } from "../architectures/description.ts";
import { modelLinears } from "../weights/expected_tensors.ts";
import { outputBlocks } from "./output_blocks.ts";

/** Tokens that tell as much as an independent draw, of each kind of moment. */
export interface DrawLengths {
  /** Of inputs of layers. */
  readonly inputs: number;
  /** Of gradients of their outputs; undefined where no backward pass was run. */
  readonly gradients?: number;
}

/** What both were of texts of several kinds, about: for forecasts. */
const USUAL_DRAWS: DrawLengths = { inputs: 2.3, gradients: 2.3 };

/** Tokens that calibration usually takes for a {@linkcode finiteTextLoss} of `loss`. */
export function usualTokens(model: TransformerDescription, loss: number): number {
  return finiteTextLoss(model, USUAL_DRAWS, 1) / loss;
}

/**
 * By which share a model's divergence is larger than after calibration on endless text of the same
 * kind, if it is calibrated on `tokens` tokens. A weight's error is made up for by those of its row
 * before it, by coefficients of a regression over the inputs; one that is estimated from m draws adds
 * 1 / m to the error, so d inputs add d / 2m in the mean, and outputs that go together as much again.
 * Every weight costs about the same, so that weights are counted.
 */
export function finiteTextLoss(
  model: TransformerDescription,
  draws: DrawLengths,
  tokens: number,
): number {
  const { inputs, gradients = 0 } = draws;
  const blocks = new Map(outputBlocks(model).map(({ weight, size }) => [weight, size]));
  const { head, tokenEmbedding, vocabularySize, hiddenSize } = model;
  let weights = 0, sum = 0;
  const add = (count: number, features: number) => {
    weights += count;
    sum += count * features;
  };
  for (const linear of modelLinears(model)) {
    const ofOutputs = linear.weight === head.weight ? 0 : blocks.get(linear.weight)!;
    add(linear.inputs * linear.outputs, inputs * linear.inputs + gradients * ofOutputs);
  }
  if (tokenEmbedding !== head.weight) add(vocabularySize * hiddenSize, gradients * hiddenSize);
  return sum / weights / 2 / tokens;
}
