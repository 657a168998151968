/** What is measured at each predicted token, in the order of the text. */
export interface TokenScores {
  /** Negative log-likelihood of the token under the original model, in nats. */
  readonly original: Float64Array;
  /** The token (or class) that the original model finds most likely. */
  readonly originalTop: Int32Array;
  /** Negative log-likelihood under the compressed model, where there is one. */
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

/**
 * Scores one prediction, in float64, into element `index` of `scores`: `original` and
 * `compressed` are the logits of the two models and `label` is the token that came.
 */
export function scoreToken(
  scores: TokenScores,
  index: number,
  label: number,
  original: Float32Array,
  compressed?: Float32Array,
): void {
  const top = indexOfLargest(original);
  const largest = original[top]!;
  scores.originalTop[index] = top;
  let sum = 0;
  if (compressed === undefined) {
    for (let i = 0; i < original.length; i++) sum += Math.exp(original[i]! - largest);
    scores.original[index] = largest + Math.log(sum) - original[label]!;
    return;
  }
  const otherTop = indexOfLargest(compressed);
  const otherLargest = compressed[otherTop]!;
  let otherSum = 0;
  let difference = 0;
  for (let i = 0; i < original.length; i++) {
    const [a, b] = [original[i]!, compressed[i]!];
    const exponential = Math.exp(a - largest);
    sum += exponential;
    difference += exponential * (a - b);
    otherSum += Math.exp(b - otherLargest);
  }
  const logSum = largest + Math.log(sum);
  const otherLogSum = otherLargest + Math.log(otherSum);
  scores.original[index] = logSum - original[label]!;
  scores.compressed![index] = otherLogSum - compressed[label]!;
  scores.compressedTop![index] = otherTop;
  // Σ p (log p - log q) with log p = a - logSum and log q = b - otherLogSum.
  scores.klDivergence![index] = Math.max(0, difference / sum - logSum + otherLogSum);
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
