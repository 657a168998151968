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

interface Normalizer {
  readonly top: number;
  readonly logSumExp: number;
}

function normalizer(logits: Float32Array): Normalizer {
  let top = 0;
  for (let i = 1; i < logits.length; i++) if (logits[i]! > logits[top]!) top = i;
  const largest = logits[top]!;
  let sum = 0;
  for (let i = 0; i < logits.length; i++) sum += Math.exp(logits[i]! - largest);
  return { top, logSumExp: largest + Math.log(sum) };
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
  const base = normalizer(original);
  scores.original[index] = base.logSumExp - original[label]!;
  if (compressed === undefined) return;
  const other = normalizer(compressed);
  // Σ p (log p - log q) with log p = a - logSumExp(a), log q = b - logSumExp(b).
  let difference = 0;
  for (let i = 0; i < original.length; i++) {
    difference += Math.exp(original[i]! - base.logSumExp) * (original[i]! - compressed[i]!);
  }
  scores.compressed![index] = other.logSumExp - compressed[label]!;
  scores.klDivergence![index] = Math.max(0, difference - base.logSumExp + other.logSumExp);
  scores.sameTop1![index] = base.top === other.top ? 1 : 0;
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
