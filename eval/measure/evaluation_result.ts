import { toHex } from "../../data/base64.ts";
import type { ProtocolName, ProtocolSettings } from "../protocols/protocol.ts";
import type { Window } from "../protocols/window.ts";
import {
  type Estimate,
  expEstimate,
  meanEstimate,
  meanOfClusters,
  quantileEstimate,
  rootEstimate,
} from "../scores/statistics.ts";
import type { TokenScores } from "../scores/token_scores.ts";
import { type FrequencyClass, frequencyClasses } from "./frequency_classes.ts";

/** A figure of the original model and, if there is one, of the compressed model. */
export interface Pair {
  /** Of the original model. */
  readonly original: number;
  /** Of the compressed model. */
  readonly compressed?: number;
}

/** Means over the predictions of each chunk, in the order of the text. */
export interface ChunkMeans {
  /** Number of predictions. */
  readonly tokens: readonly number[];
  /** Negative log-likelihood under the original model, nats. */
  readonly original: readonly number[];
  /** Negative log-likelihood under the compressed model, nats. */
  readonly compressed?: readonly number[];
  /** Divergence of the compressed model from the original, nats. */
  readonly klDivergence?: readonly number[];
}

/**
 * What {@linkcode evaluateLanguageModel} measured. Standard errors are over chunks: what is hard in
 * a text is hard for many tokens in a row, so that tokens are not independent.
 */
export interface EvaluationResult {
  /** How the text was cut up and what of it counted. */
  readonly protocol: ProtocolName;
  /** Number of predicted tokens. */
  readonly tokens: number;
  /** Number of chunks that the text was cut into. */
  readonly chunks: number;
  /** Tokens a chunk. */
  readonly contextLength: number;
  /** Tokens from one window's beginning to the next, where windows overlap. */
  readonly stride?: number;
  /** SHA-256 of what was predicted from what: results that share it can be compared. */
  readonly fingerprint: string;
  /** exp of the mean negative log-likelihood. */
  readonly perplexity: Pair;
  /** Standard error of the perplexity. */
  readonly perplexityStandardError: Pair;
  /** The compressed model's perplexity as a multiple of the original's. */
  readonly perplexityRatio?: Estimate;
  /** Divergence of the compressed model's next-token distributions from the original's, nats. */
  readonly klDivergence?: {
    /** Mean over tokens. */
    readonly mean: number;
    /** Standard error of the mean. */
    readonly standardError: number;
    /** Median over tokens. */
    readonly median: number;
    /** Standard error of the median. */
    readonly medianStandardError: number;
    /** 99th percentile over tokens. */
    readonly p99: number;
    /** Standard error of the 99th percentile. */
    readonly p99StandardError: number;
    /** 99.9th percentile over tokens. */
    readonly p999: number;
    /** Standard error of the 99.9th percentile. */
    readonly p999StandardError: number;
  };
  /** How often both models find the same token most likely. */
  readonly sameTop1?: {
    /** Share of tokens, 0 to 1. */
    readonly share: number;
    /** Its standard error. */
    readonly standardError: number;
  };
  /** Root mean square of the change in the probability of the token that came. */
  readonly rmsProbabilityChange?: Estimate;
  /** Divergences by how often a token came in the calibration text, where that is known. */
  readonly klByFrequency?: readonly FrequencyClass[];
  /** The figures of each chunk, from which runs are compared pair by pair. */
  readonly chunkMeans: ChunkMeans;
}

/** What was measured, beside the scores. */
export interface MeasuredWindows {
  /** The protocol. */
  readonly settings: ProtocolSettings;
  /** Its windows. */
  readonly windows: readonly Window[];
  /** Of the windows. */
  readonly fingerprint: string;
  /** What the compressed model was calibrated on, where that is known. */
  readonly calibrationTokens?: Int32Array;
}

/**
 * Summarizes the scores of all predicted tokens with llama.cpp's formulas, but for the standard
 * errors, which are over chunks here and over tokens there.
 */
export function summarizeScores(
  scores: TokenScores,
  { settings, windows, fingerprint, calibrationTokens }: MeasuredWindows,
): EvaluationResult {
  const { original, originalTop, compressed, compressedTop, klDivergence } = scores;
  const { name: protocol, contextLength, stride } = settings;
  const chunkMeans = meanByChunk(windows, scores);
  const sizes = chunkMeans.tokens;
  const meanOf = (values: Float64Array) => meanOfClusters(values, sizes);
  const base = expEstimate(meanOf(original));
  const common = {
    protocol,
    tokens: original.length,
    chunks: sizes.length,
    contextLength,
    ...(stride !== undefined && { stride }),
    fingerprint,
    chunkMeans,
  };
  if (compressed === undefined || compressedTop === undefined || klDivergence === undefined) {
    return {
      ...common,
      perplexity: { original: base.value },
      perplexityStandardError: { original: base.standardError },
    };
  }
  const other = expEstimate(meanOf(compressed));
  const same = meanOf(Float64Array.from(originalTop, (top, i) => top === compressedTop[i] ? 1 : 0));
  return {
    ...common,
    perplexity: { original: base.value, compressed: other.value },
    perplexityStandardError: { original: base.standardError, compressed: other.standardError },
    perplexityRatio: expEstimate(meanOf(compressed.map((loss, i) => loss - original[i]!))),
    klDivergence: summarizeDivergence(klDivergence, sizes),
    sameTop1: { share: same.value, standardError: same.standardError },
    ...(calibrationTokens !== undefined && {
      klByFrequency: frequencyClasses(windows, klDivergence, calibrationTokens),
    }),
    rmsProbabilityChange: rootEstimate(meanOf(
      compressed.map((loss, i) => (Math.exp(-loss) - Math.exp(-original[i]!)) ** 2),
    )),
  };
}

function summarizeDivergence(values: Float64Array, sizes: readonly number[]) {
  const mean = meanOfClusters(values, sizes);
  const median = quantileEstimate(values, 0.5, sizes);
  const p99 = quantileEstimate(values, 0.99, sizes);
  const p999 = quantileEstimate(values, 0.999, sizes);
  return {
    mean: mean.value,
    standardError: mean.standardError,
    median: median.value,
    medianStandardError: median.standardError,
    p99: p99.value,
    p99StandardError: p99.standardError,
    p999: p999.value,
    p999StandardError: p999.standardError,
  };
}

function meanByChunk(windows: readonly Window[], scores: TokenScores): ChunkMeans {
  const tokens: number[] = [];
  for (const { chunk, rows } of windows) tokens[chunk] = (tokens[chunk] ?? 0) + rows.length;
  const means = (values: Float64Array) => {
    let at = 0;
    return tokens.map((count) => meanEstimate(values.subarray(at, at += count)).value);
  };
  const { original, compressed, klDivergence } = scores;
  return {
    tokens,
    original: means(original),
    ...(compressed !== undefined && { compressed: means(compressed) }),
    ...(klDivergence !== undefined && { klDivergence: means(klDivergence) }),
  };
}

/** SHA-256, in hexadecimal digits, of the windows' tokens, rows and labels. */
export async function fingerprintOf(windows: readonly Window[]): Promise<string> {
  const words = windows.flatMap(({ tokens, rows, labels }) => [
    tokens.length,
    rows.length,
    ...tokens,
    ...rows,
    ...labels,
  ]);
  const digest = await crypto.subtle.digest("SHA-256", Int32Array.from(words));
  return toHex(new Uint8Array(digest));
}
