/** What is measured at each predicted token, in the order of the text. */
export interface TokenScores {
  /** Negative log-likelihood of the token under the original model, in nats. */
  readonly original: Float64Array;
  /** The token (or class) that the original model finds most likely. */
  readonly originalTop: Int32Array;
  /** Negative log-likelihood under the compressed model, if there is one. */
  readonly compressed?: Float64Array;
  /** The token that the compressed model finds most likely. */
  readonly compressedTop?: Int32Array;
  /** KL divergence of the compressed model's distribution from the original's, in nats. */
  readonly klDivergence?: Float64Array;
}

/** Room for the scores of `count` tokens. */
export function allocateScores(count: number, withCompressed: boolean): TokenScores {
  const scores = { original: new Float64Array(count), originalTop: new Int32Array(count) };
  if (!withCompressed) return scores;
  return {
    ...scores,
    compressed: new Float64Array(count),
    compressedTop: new Int32Array(count),
    klDivergence: new Float64Array(count),
  };
}

/** What is known of one model's logits while they come block by block. */
interface LogitSums {
  /** The first token of the largest logit. */
  top: number;
  largest: number;
  /** Σ exp(logit - largest). */
  sum: number;
  /** The logit of the token that came. */
  label: number;
}

/** One prediction while its logits come block by block, in order, twice. */
export interface PartialScore {
  /** One for each model. */
  readonly models: readonly LogitSums[];
  /** Σ exp(a - largest a) (a - b) over the logits a of the first model and b of the second. */
  difference: number;
}

/** A prediction of one or two models before their logits have come. */
export function startScore(models: number): PartialScore {
  const start = () => ({ top: 0, largest: -Infinity, sum: 0, label: 0 });
  return { models: Array.from({ length: models }, start), difference: 0 };
}

/** Takes in a block of one model's logits, those from token `start` on, for the first time. */
export function findLargest(
  { models }: PartialScore,
  model: number,
  start: number,
  logits: Float32Array,
): void {
  const sums = models[model]!;
  let { top, largest } = sums;
  for (let i = 0; i < logits.length; i++) {
    if (logits[i]! > largest) {
      largest = logits[i]!;
      top = start + i;
    }
  }
  sums.top = top;
  sums.largest = largest;
}

/**
 * Takes in a block of all models' logits for the second time, after {@linkcode findLargest} has seen
 * every block; `label` is the token that came.
 */
export function addLogits(
  score: PartialScore,
  start: number,
  label: number,
  [original, compressed]: readonly Float32Array[],
): void {
  const [sums, otherSums] = score.models;
  const { largest } = sums!;
  let { sum } = sums!;
  const inBlock = label >= start && label < start + original!.length;
  if (inBlock) sums!.label = original![label - start]!;
  if (compressed === undefined) {
    for (let i = 0; i < original!.length; i++) sum += Math.exp(original![i]! - largest);
    sums!.sum = sum;
    return;
  }
  const { largest: otherLargest } = otherSums!;
  let { sum: otherSum } = otherSums!, { difference } = score;
  if (inBlock) otherSums!.label = compressed[label - start]!;
  for (let i = 0; i < compressed.length; i++) {
    const [a, b] = [original![i]!, compressed[i]!];
    const exponential = Math.exp(a - largest);
    sum += exponential;
    difference += exponential * (a - b);
    otherSum += Math.exp(b - otherLargest);
  }
  sums!.sum = sum;
  otherSums!.sum = otherSum;
  score.difference = difference;
}

/** Writes what all logits of a prediction came to into element `index` of `scores`. */
export function finishScore(
  scores: TokenScores,
  index: number,
  { models: [original, compressed], difference }: PartialScore,
): void {
  const { top, largest, sum, label } = original!;
  const logSum = largest + Math.log(sum);
  scores.originalTop[index] = top;
  scores.original[index] = logSum - label;
  if (compressed === undefined) return;
  const otherLogSum = compressed.largest + Math.log(compressed.sum);
  scores.compressed![index] = otherLogSum - compressed.label;
  scores.compressedTop![index] = compressed.top;
  // Σ p (log p - log q) with log p = a - logSum and log q = b - otherLogSum.
  scores.klDivergence![index] = Math.max(0, difference / sum - logSum + otherLogSum);
}

/**
 * Scores one prediction, in float64, into element `index` of `scores`: `logits` are those of the
 * original and perhaps the compressed model and `label` is the token that came.
 */
export function scoreToken(
  scores: TokenScores,
  index: number,
  label: number,
  logits: readonly Float32Array[],
): void {
  const score = startScore(logits.length);
  logits.forEach((values, model) => findLargest(score, model, 0, values));
  addLogits(score, 0, label, logits);
  finishScore(scores, index, score);
}

/** Index of the largest value, the first where several are equal. */
export function indexOfLargest(values: Float32Array): number {
  let top = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! > values[top]!) top = i;
  return top;
}

/** Copies `count` scores of `source` from `from` on to `to` on in `target`. */
export function copyScores(
  target: TokenScores,
  to: number,
  source: TokenScores,
  from: number,
  count: number,
): void {
  const copy = <T extends Float64Array | Int32Array>(into: T | undefined, values: T | undefined) =>
    values !== undefined && into?.set(values.subarray(from, from + count), to);
  copy(target.original, source.original);
  copy(target.originalTop, source.originalTop);
  copy(target.compressed, source.compressed);
  copy(target.compressedTop, source.compressedTop);
  copy(target.klDivergence, source.klDivergence);
}
