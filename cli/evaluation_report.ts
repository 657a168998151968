import type { EvaluationResult } from "../eval/mod.ts";
import { formatCount, formatWithError } from "./format.ts";
import {
  comparisonFields,
  comparisonTable,
  describeTokens,
  qualityRows,
  sizeRows,
  type Sizes,
  verdictLines,
} from "./report.ts";

/** What `evaluate` has to tell. */
export interface EvaluationOutcome {
  /** Name of the model. */
  readonly model: string;
  /** What measuring gave; `original` in it is the only model where just one was measured. */
  readonly result: EvaluationResult;
  /** Sizes, where the model is a compressed one. */
  readonly sizes?: Sizes;
  /** Wall-clock seconds by phase. */
  readonly seconds: Readonly<Record<string, number>>;
}

/**
 * The JSON object of `evaluate --json`. Perplexity is a number for an ordinary model; for a
 * compressed one it is an object, in which `original` is missing where there was no original.
 */
export function evaluationFields(outcome: EvaluationOutcome): Record<string, unknown> {
  const { model, result, sizes, seconds } = outcome;
  const { tokens, perplexity, perplexityStandardError } = result;
  if (sizes === undefined) {
    return {
      model,
      tokens,
      perplexity: perplexity.original,
      perplexityStandardError: perplexityStandardError.original,
    };
  }
  const compared = result.klDivergence !== undefined;
  const pair = (value: typeof perplexity) => compared ? value : { compressed: value.original };
  const { parameters, originalBytes, compressedBytes, bitsPerWeight } = sizes;
  return {
    model,
    parameters,
    originalBytes,
    compressedBytes,
    bitsPerWeight,
    tokens,
    perplexity: pair(perplexity),
    perplexityStandardError: pair(perplexityStandardError),
    ...comparisonFields(result),
    seconds,
  };
}

/** What `evaluate` prints for people. */
export function evaluationText(outcome: EvaluationOutcome, textName: string): string {
  const { model, result, sizes } = outcome;
  const measured = `measured on ${describeTokens(result)} of ${textName}`;
  if (sizes === undefined || result.klDivergence === undefined) {
    const perplexity = formatWithError(
      result.perplexity.original,
      result.perplexityStandardError.original,
    );
    const note = sizes === undefined
      ? []
      : ["Its original was not found: name it with --original to compare them."];
    return [model, `perplexity ${perplexity}`, measured, ...note].join("\n");
  }
  return [
    `${model}, ${formatCount(sizes.parameters)} parameters`,
    "",
    comparisonTable([...sizeRows(sizes), ...qualityRows(result)]),
    "",
    measured,
    ...verdictLines(result),
  ].join("\n");
}
