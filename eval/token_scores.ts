/** What is measured at each predicted token, in the order of the text. */
export interface TokenScores {
  /** Negative log-likelihood of the token under the original model, in nats. */
  readonly original: Float64Array;
  /** The same under the compressed model, where there is one. */
  readonly compressed?: Float64Array;
  /** KL divergence of the compressed model's distribution from the original's, in nats. */
  readonly klDivergence?: Float64Array;
  /** 1 where both models find the same token most likely. */
  readonly sameTop1?: Uint8Array;
}

/** Room for the scores of `count` tokens. */
export function allocateScores(count: number, withCompressed: boolean): TokenScores {
  const original = new Float64Array(count);
  if (!withCompressed) return { original };
  return {
    original,
    compressed: new Float64Array(count),
    klDivergence: new Float64Array(count),
    sameTop1: new Uint8Array(count),
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
  // Σ p (log p - log q) with log p = a - logSum and log q = b - otherLogSum.
  scores.klDivergence![index] = Math.max(0, difference / sum - logSum + otherLogSum);
  scores.sameTop1![index] = top === otherTop ? 1 : 0;
}

/** Index of the largest value, the first where several are equal. */
export function indexOfLargest(values: Float32Array): number {
  let top = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! > values[top]!) top = i;
  return top;
}

/** The scores of several stretches of text, one after another. */
export function joinScores(parts: readonly TokenScores[]): TokenScores {
  const count = parts.reduce((total, { original }) => total + original.length, 0);
  const joined = allocateScores(count, parts[0]?.compressed !== undefined);
  let offset = 0;
  for (const part of parts) {
    joined.original.set(part.original, offset);
    if (part.compressed !== undefined) joined.compressed?.set(part.compressed, offset);
    if (part.klDivergence !== undefined) joined.klDivergence?.set(part.klDivergence, offset);
    if (part.sameTop1 !== undefined) joined.sameTop1?.set(part.sameTop1, offset);
    offset += part.original.length;
  }
  return joined;
}
