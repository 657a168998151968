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

/** Where the numbers come from by which tokens are drawn. */
type Numbers = Pick<Random, "uniform">;

/** Room for a vocabulary's weights, which would otherwise be allocated for every token. */
let room = new Float64Array(0);

/** Draws a token id: temperature first, then top-k, then top-p (Holtzman et al., 2020). */
export function sampleToken(
  logits: Float32Array,
  { temperature = 1, topK, topP = 1 }: SamplingOptions,
  random: Numbers,
): number {
  const top = indexOfLargest(logits);
  if (temperature === 0) return top;
  if (room.length < logits.length) room = new Float64Array(logits.length);
  const weights = room.subarray(0, logits.length);
  const largest = logits[top]!;
  for (let i = 0; i < weights.length; i++) {
    weights[i] = Math.exp((logits[i]! - largest) / temperature);
  }
  if (topK === undefined && topP === 1) return draw(weights, random);
  const candidates = likeliest(weights, topK, topP);
  const sorted = Float64Array.from(candidates, (id) => weights[id]!);
  return candidates[draw(sorted, random)]!;
}

/** Shares of the largest weight above which tokens are looked at first: few of them are. */
const FIRST_SHARES = [1e-2, 1e-4, 0];

/** The tokens that top-k and top-p leave, the likeliest first: no more are sorted than must be. */
function likeliest(weights: Float64Array, topK: number | undefined, topP: number): number[] {
  const total = topK === undefined ? sumOf(weights) : undefined;
  for (const share of FIRST_SHARES) {
    const ids: number[] = [];
    for (let id = 0; id < weights.length; id++) if (weights[id]! >= share) ids.push(id);
    const most = Math.min(topK ?? Infinity, weights.length);
    if (share > 0 && topK !== undefined && ids.length < most) continue;
    const sorted = ids.sort((a, b) => weights[b]! - weights[a]!).slice(0, topK);
    const wanted = topP * (total ?? sumOf(sorted.map((id) => weights[id]!)));
    let sum = 0;
    const end = sorted.findIndex((id) => (sum += weights[id]!) >= wanted);
    if (end >= 0) return sorted.slice(0, end + 1);
    if (share === 0 || topK !== undefined) return sorted;
  }
  return [];
}

function sumOf(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return sum;
}

/** An index with probability in proportion to its weight. */
function draw(weights: Float64Array, random: Numbers): number {
  let rest = random.uniform() * sumOf(weights);
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
