import { InputError } from "../../data/input_error.ts";
import type { Random } from "../../kan/numeric/random.ts";
import { indexOfLargest } from "../scores/token_scores.ts";

/** How a token is drawn from a model's distribution. */
export interface SamplingOptions {
  /** Logits are divided by this; 0 takes the most likely token; 1 if omitted. */
  readonly temperature?: number;
  /** Draws from this many of the most likely tokens; all if omitted. */
  readonly topK?: number;
  /** Draws from the fewest most likely tokens that together have this probability; 1 if omitted. */
  readonly topP?: number;
}

/** Throws {@linkcode InputError} for options that make no sense. */
export function checkSampling({ temperature = 1, topK = 1, topP = 1 }: SamplingOptions): void {
  if (!(temperature >= 0 && temperature < Infinity)) {
    throw new InputError(`temperature must be 0 or more, found ${temperature}`);
  }
  if (!Number.isSafeInteger(topK) || topK < 1) {
    throw new InputError(`top-k must be a whole number from 1, found ${topK}`);
  }
  if (!(topP > 0 && topP <= 1)) throw new InputError(`top-p must be in (0, 1], found ${topP}`);
}

/** Draws a token id: temperature first, then top-k, then top-p (Holtzman et al., 2020). */
export function sampleToken(
  logits: Float32Array,
  { temperature = 1, topK, topP = 1 }: SamplingOptions,
  random: Random,
): number {
  const top = indexOfLargest(logits);
  if (temperature === 0) return top;
  const weights = new Float64Array(logits.length);
  for (let i = 0; i < weights.length; i++) {
    weights[i] = Math.exp((logits[i]! - logits[top]!) / temperature);
  }
  if (topK === undefined && topP === 1) return draw(weights, random);
  const order = Array.from(weights.keys()).sort((a, b) => weights[b]! - weights[a]!);
  const candidates = order.slice(0, topK);
  const sorted = Float64Array.from(candidates, (id) => weights[id]!);
  return candidates[draw(sorted.subarray(0, nucleusSize(sorted, topP)), random)]!;
}

/** How many of the sorted weights together first reach the share `topP`. */
function nucleusSize(sorted: Float64Array, topP: number): number {
  const total = sorted.reduce((sum, weight) => sum + weight, 0);
  let sum = 0;
  for (let i = 0; i < sorted.length; i++) {
    sum += sorted[i]!;
    if (sum >= topP * total) return i + 1;
  }
  return sorted.length;
}

/** An index with probability in proportion to its weight. */
function draw(weights: Float64Array, random: Random): number {
  let total = 0;
  for (let i = 0; i < weights.length; i++) total += weights[i]!;
  let rest = random.uniform() * total;
  for (let i = 0; i < weights.length; i++) {
    rest -= weights[i]!;
    if (rest < 0) return i;
  }
  return indexOfLast(weights);
}

/** The last index of positive weight, for draws that rounding leaves over. */
function indexOfLast(weights: Float64Array): number {
  return weights.findLastIndex((weight) => weight > 0);
}
