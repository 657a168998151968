import type { BackendName } from "../../eval/mod.ts";
import type { Sizes } from "./sizes.ts";
import type { EvaluationResult } from "../../eval/mod.ts";
import {
  formatBytes,
  formatCount,
  formatFixed,
  formatMeasure,
  formatShare,
  formatWithError,
} from "../../eval/report/number_text.ts";
import { formatTable } from "../terminal/text_table.ts";

/** Below this share of agreement with the original, a model's ability is called lost. */
export const LOST_BELOW = 0.5;

/** The JSON fields that compare a compressed model with its original. */
export function comparisonFields(
  { klDivergence, sameTop1 }: EvaluationResult,
): Record<string, unknown> {
  if (klDivergence === undefined || sameTop1 === undefined) return {};
  return {
    klDivergence: { mean: klDivergence.mean, p999: klDivergence.p999 },
    sameTop1: sameTop1.share,
  };
}

/** The rows that compare sizes. */
export function sizeRows(sizes: Sizes): string[][] {
  const { parameters, originalBytes, originalDtype, compressedBytes, bitsPerWeight } = sizes;
  const stored = sizes.originalQuantization ?? originalDtype;
  const ratio = originalBytes / compressedBytes;
  const change = ratio >= 1
    ? `${formatFixed(ratio, 2)}× smaller than ${stored}`
    : `${formatFixed(1 / ratio, 2)}× larger than ${stored}`;
  const originalBits = formatFixed(8 * originalBytes / parameters, 2);
  return [
    ["size", formatBytes(originalBytes), formatBytes(compressedBytes), change],
    ["bits per weight", originalBits, formatFixed(bitsPerWeight, 2), "whole file / parameters"],
  ];
}

/** The rows that compare what the models predict. */
export function qualityRows(result: EvaluationResult): string[][] {
  const { perplexity, perplexityStandardError: error, klDivergence, sameTop1 } = result;
  const compressed = perplexity.compressed === undefined
    ? ""
    : formatWithError(perplexity.compressed, error.compressed);
  const rows = [
    ["perplexity", formatWithError(perplexity.original, error.original), compressed, ""],
  ];
  if (klDivergence === undefined || sameTop1 === undefined) return rows;
  const mean = formatWithError(klDivergence.mean, klDivergence.standardError);
  const agreement = formatWithError(100 * sameTop1.share, 100 * sameTop1.standardError);
  return [
    ...rows,
    ["mean KL divergence", "", mean, "nats per token"],
    [
      "99.9th percentile KL",
      "",
      formatMeasure(klDivergence.p999),
      "1 token in 1,000 is above",
    ],
    ["same top 1", "", `${agreement} %`, "same likeliest next token"],
  ];
}

/** Further rows, for who wants to know all. */
export function detailRows(result: EvaluationResult): string[][] {
  const { perplexityRatio, klDivergence, rmsProbabilityChange } = result;
  if (
    perplexityRatio === undefined || klDivergence === undefined ||
    rmsProbabilityChange === undefined
  ) return [];
  const { median, medianStandardError } = klDivergence;
  const { value, standardError } = rmsProbabilityChange;
  const change = formatWithError(100 * value, 100 * standardError);
  return [
    [
      "perplexity ratio",
      "",
      formatWithError(perplexityRatio.value, perplexityRatio.standardError),
      "compressed / original",
    ],
    [
      "median KL divergence",
      "",
      formatWithError(median, medianStandardError),
      "half the tokens are above",
    ],
    ["RMS change of p", "", `${change} %`, "of the token that came"],
  ];
}

/** A table of rows made by {@linkcode sizeRows} and {@linkcode qualityRows}. */
export function comparisonTable(rows: readonly (readonly string[])[]): string {
  const heading = ["", "original", "compressed", ""];
  return formatTable([heading, ...rows], ["left", "right", "right", "left"]);
}

/** A plain warning where the compressed model no longer does what the original did. */
export function verdictLines({ sameTop1 }: EvaluationResult): string[] {
  if (sameTop1 === undefined || sameTop1.share >= LOST_BELOW) return [];
  return [
    "The compressed model has lost most of the original's ability: only " +
    `${formatShare(sameTop1.share)} of its likeliest tokens are the original's.`,
  ];
}

/** What ran the models, to be added to what was measured, where that is not tfjs as usual. */
export function by(backend: BackendName): string {
  return backend === "native" ? ", by ONNX Runtime" : "";
}

/** `7,648 predicted tokens in 30 chunks of 256`. */
export function describeTokens(
  { protocol, tokens, chunks, contextLength, stride }: EvaluationResult,
): string {
  const step = stride === undefined ? "" : `, ${formatCount(stride)} apart`;
  return `${formatCount(tokens)} predicted tokens in ${formatCount(chunks)} ` +
    `${chunks === 1 ? "chunk" : "chunks"} of ${formatCount(contextLength)}${step}` +
    (protocol === "llama.cpp" ? "" : ` (protocol ${protocol})`);
}
