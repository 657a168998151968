import { printableLine } from "../../data/printable.ts";
import type { BackendName, EvaluationResult } from "../../eval/mod.ts";
import { formatCount, formatWithError } from "../../eval/report/number_text.ts";
import { type Against, againstText } from "./against.ts";
import { comparedLine, type ComparedModel } from "./evaluation_subject.ts";
import type { Run } from "../terminal/run.ts";
import {
  by,
  comparisonFields,
  comparisonTable,
  describeTokens,
  detailRows,
  qualityRows,
  sizeRows,
  verdictLines,
} from "./comparison.ts";
import { furtherFields, type FurtherFigures, furtherLines } from "./further_figures.ts";
import { sizeFields, type Sizes } from "./sizes.ts";

/** What `evaluate` has to tell. */
export interface EvaluationOutcome extends FurtherFigures {
  /** Name of the model. */
  readonly model: string;
  /** What measuring gave; `original` in it is the only model where just one was measured. */
  readonly result: EvaluationResult;
  /** What the perplexities mean where they measure nothing. */
  readonly notes?: readonly string[];
  /** Sizes, where the model is a compressed one. */
  readonly sizes?: Sizes;
  /** The original, if there was one to compare a compressed model with. */
  readonly comparedWith?: ComparedModel;
  /** How it differs from an earlier run, if there is one to compare with. */
  readonly against?: Against;
  /** The command line that measured. */
  readonly command: string;
  /** What ran the models. */
  readonly backend: BackendName;
  /** Wall-clock seconds by phase. */
  readonly seconds: Readonly<Record<string, number>>;
}

/**
 * The JSON object of `evaluate --json`. Perplexity is a number for an ordinary model; for a
 * compressed one it is an object, in which `original` is missing if there was no original.
 */
export function evaluationFields(outcome: EvaluationOutcome): Record<string, unknown> {
  const { model, result, sizes, seconds, comparedWith } = outcome;
  const { tokens, perplexity, perplexityStandardError } = result;
  if (sizes === undefined) {
    return {
      model,
      tokens,
      perplexity: perplexity.original,
      perplexityStandardError: perplexityStandardError.original,
      ...furtherFields(result, outcome),
      ...protocolFields(outcome),
    };
  }
  const compared = result.klDivergence !== undefined;
  const pair = (value: typeof perplexity) => compared ? value : { compressed: value.original };
  return {
    model,
    ...sizeFields(sizes),
    tokens,
    perplexity: pair(perplexity),
    perplexityStandardError: pair(perplexityStandardError),
    ...(comparedWith === undefined ? {} : { comparedWith }),
    ...comparisonFields(result),
    ...detailFields(result),
    ...furtherFields(result, outcome),
    seconds,
    ...protocolFields(outcome),
  };
}

/** What was measured how, and what later runs are compared by. */
function protocolFields(
  { result, notes = [], against, command, backend }: EvaluationOutcome,
): Record<string, unknown> {
  const { protocol, chunks, contextLength, stride, fingerprint, chunkMeans } = result;
  // Ten digits are more than float32 arithmetic has, and keep the line short.
  const rounded = Object.entries(chunkMeans).map((
    [name, values],
  ) => [name, values?.map((value: number) => Number(value.toPrecision(10)))]);
  return {
    protocol,
    chunks,
    contextLength,
    ...(stride === undefined ? {} : { stride }),
    fingerprint,
    chunkMeans: Object.fromEntries(rounded),
    ...(notes.length > 0 && { notes }),
    command,
    backend,
    ...(against === undefined ? {} : { against }),
  };
}

/** The figures that `compress --json` leaves out. */
function detailFields(result: EvaluationResult): Record<string, unknown> {
  const { perplexityRatio, klDivergence, sameTop1, rmsProbabilityChange } = result;
  if (klDivergence === undefined) return {};
  return {
    perplexityRatio,
    klDivergence,
    sameTop1StandardError: sameTop1?.standardError,
    rmsProbabilityChange,
  };
}

/** Prints what was measured, on the text of this name. */
export function printEvaluation(
  outcome: EvaluationOutcome,
  textName: string,
  { json }: { readonly json?: true },
  run: Pick<Run, "print" | "printJson">,
): void {
  if (json) run.printJson(evaluationFields(outcome));
  else run.print(evaluationText(outcome, textName));
}

/** What `evaluate` prints for people. */
export function evaluationText(outcome: EvaluationOutcome, textName: string): string {
  const { result, notes = [], sizes, against, comparedWith } = outcome;
  const model = printableLine(outcome.model);
  const compared = against === undefined ? [] : [againstText(against)];
  const measured = `measured on ${describeTokens(result)} of ${printableLine(textName)}` +
    by(outcome.backend);
  if (sizes === undefined || result.klDivergence === undefined) {
    const perplexity = formatWithError(
      result.perplexity.original,
      result.perplexityStandardError.original,
    );
    const note = sizes === undefined
      ? []
      : ["Its original was not found: name it with --original to compare them."];
    const further = furtherLines(result, outcome);
    return [model, `perplexity ${perplexity}`, measured, ...further, ...notes, ...note, ...compared]
      .join("\n");
  }
  return [
    `${model}, ${formatCount(sizes.parameters)} parameters`,
    "",
    comparisonTable([...sizeRows(sizes), ...qualityRows(result), ...detailRows(result)]),
    "",
    measured,
    ...furtherLines(result, outcome),
    ...(comparedWith === undefined ? [] : [comparedLine(comparedWith)]),
    ...notes,
    ...verdictLines(result),
    ...compared,
  ].join("\n");
}
