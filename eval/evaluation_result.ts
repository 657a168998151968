import type { TokenScores } from "./token_scores.ts";

/** A figure of the original model and, where there is one, of the compressed model. */
export interface Pair {
  /** Of the original model. */
  readonly original: number;
  /** Of the compressed model. */
  readonly compressed?: number;
}

/** What {@linkcode evaluateLanguageModel} measured. */
export interface EvaluationResult {
  /** Number of predicted tokens. */
  readonly tokens: number;
  /** Number of chunks that the text was cut into. */
  readonly chunks: number;
  /** Tokens a chunk. */
  readonly contextLength: number;
  /** exp of the mean negative log-likelihood. */
  readonly perplexity: Pair;
  /** Standard error of the perplexity over tokens. */
  readonly perplexityStandardError: Pair;
  /** Divergence of the compressed model's next-token distributions from the original's, nats. */
  readonly klDivergence?: {
    /** Mean over tokens. */
    readonly mean: number;
    /** Standard error of the mean. */
    readonly standardError: number;
    /** 99.9th percentile over tokens. */
    readonly p999: number;
  };
  /** How often both models find the same token most likely. */
  readonly sameTop1?: {
    /** Share of tokens, 0 to 1. */
    readonly share: number;
    /** Its standard error. */
    readonly standardError: number;
  };
}

/** Summarizes the scores of all predicted tokens with llama.cpp's formulas. */
export function summarizeScores(
  scores: TokenScores,
  chunks: number,
  contextLength: number,
): EvaluationResult {
  const base = perplexity(scores.original);
  const tokens = scores.original.length;
  const common = { tokens, chunks, contextLength };
  const { compressed, klDivergence, sameTop1 } = scores;
  if (compressed === undefined || klDivergence === undefined || sameTop1 === undefined) {
    return {
      ...common,
      perplexity: { original: base.value },
      perplexityStandardError: { original: base.standardError },
    };
  }
  const other = perplexity(compressed);
  const share = sameTop1.reduce((total, same) => total + same, 0) / tokens;
  return {
    ...common,
    perplexity: { original: base.value, compressed: other.value },
    perplexityStandardError: { original: base.standardError, compressed: other.standardError },
    klDivergence: { ...meanAndError(klDivergence), p999: percentile(klDivergence, 0.999) },
    sameTop1: { share, standardError: Math.sqrt(share * (1 - share) / (tokens - 1)) },
  };
}

function meanAndError(values: Float64Array): { mean: number; standardError: number } {
  const count = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, standardError: Math.sqrt(squares / count / (count - 1)) };
}

function perplexity(values: Float64Array): { value: number; standardError: number } {
  const { mean, standardError } = meanAndError(values);
  // First order: d exp(m) = exp(m) dm.
  return { value: Math.exp(mean), standardError: Math.exp(mean) * standardError };
}

/** Linear interpolation between the two nearest order statistics. */
function percentile(values: Float64Array, fraction: number): number {
  const sorted = values.toSorted();
  const place = fraction * (sorted.length - 1);
  const below = Math.floor(place);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below]! + (place - below) * (sorted[above]! - sorted[below]!);
}
