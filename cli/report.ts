import { printableLine } from "../data/printable.ts";
import type { DType } from "../data/mod.ts";
import type { EvaluationResult } from "../eval/mod.ts";
import type { StageReport } from "../hierarchy/mod.ts";
import {
  formatBytes,
  formatCount,
  formatFixed,
  formatMeasure,
  formatSeconds,
  formatShare,
  formatWithError,
} from "../eval/report/number_text.ts";
import { type CalibrationCheck, calibrationLines } from "./calibration_check.ts";
import { stageLines } from "./stage_lines.ts";
import { describeQuestions, type TaskFigures, taskRows } from "./task_report.ts";
import { formatTable } from "./text_table.ts";

/** Sizes of a model before and after. */
export interface Sizes {
  /** Number of weights, tied tensors counted once. */
  readonly parameters: number;
  /** Size of the original's weight files, without what the model does not need. */
  readonly originalBytes: number;
  /** Element type of most of the original's values. */
  readonly originalDtype: DType;
  /** Size of the whole compressed file. */
  readonly compressedBytes: number;
  /** `8 * compressedBytes / parameters`. */
  readonly bitsPerWeight: number;
  /** Its stages; told where there are several. */
  readonly stages?: readonly StageReport[];
}

/** What was measured of a compressed model: on a text, by a task, or nothing. */
export interface Measured {
  /** What measuring both models on a text gave. */
  readonly result?: EvaluationResult;
  /** What that text is called. */
  readonly textName?: string;
  /** What measuring them on the calibration text gave, where there was one. */
  readonly calibration?: CalibrationCheck;
  /** What asking both the questions of a task gave. */
  readonly task?: TaskFigures;
  /** Why nothing was measured. */
  readonly notMeasured?: string;
}

/** What `compress` has to tell. */
export interface CompressionOutcome extends Measured {
  /** Name of the model. */
  readonly model: string;
  /** Its sizes. */
  readonly sizes: Sizes;
  /** What the perplexities mean where they measure nothing. */
  readonly notes?: readonly string[];
  /** Why the model was not calibrated, where it could not be. */
  readonly notCalibrated?: string;
  /** Whether all matrices were given the same bits. */
  readonly uniform: boolean;
  /** Wall-clock seconds by phase. */
  readonly seconds: Readonly<Record<string, number>>;
  /** The file that was written. */
  readonly out: string;
  /** The command line that did it. */
  readonly command: string;
}

/** Below this share of agreement with the original, a model's ability is called lost. */
const LOST_BELOW = 0.5;

/** The JSON object of `compress --json`. */
export function compressionFields(outcome: CompressionOutcome): Record<string, unknown> {
  const { model, sizes, uniform, seconds, out, command } = outcome;
  const { result, notes = [], calibration, task, notMeasured, notCalibrated } = outcome;
  const { parameters, originalBytes, originalDtype, compressedBytes, bitsPerWeight } = sizes;
  return {
    model,
    parameters,
    originalBytes,
    originalDtype,
    compressedBytes,
    bitsPerWeight,
    ...(result !== undefined && { perplexity: result.perplexity }),
    ...(notes.length > 0 && { notes }),
    ...(result !== undefined && comparisonFields(result)),
    ...(calibration !== undefined && { calibration }),
    ...(task !== undefined && { task }),
    ...(notMeasured !== undefined && { notMeasured }),
    ...(notCalibrated !== undefined && { notCalibrated }),
    uniform,
    seconds,
    out,
    command,
  };
}

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

/** What `compress` prints for people: a table, what it was measured on, and where the file is. */
export function compressionText(outcome: CompressionOutcome): string {
  const { model, sizes, result, notes = [], task, uniform, seconds, out } = outcome;
  const { stages = [] } = sizes;
  const quality = result === undefined ? [] : qualityRows(result);
  const lines = [
    `${printableLine(model)}, ${formatCount(sizes.parameters)} parameters`,
    "",
    comparisonTable([
      ...sizeRows(sizes),
      ...quality,
      ...(task === undefined ? [] : taskRows(task)),
    ]),
    "",
    ...(stages.length > 1 ? stageLines(stages) : []),
    ...measuredLines(outcome),
    ...(uniform ? ["uniform: every matrix has about the same bits per weight"] : []),
    ...notes,
    ...(result === undefined ? [] : verdictLines(result)),
    `time: ${describeSeconds(seconds)}`,
    `written to ${printableLine(out)}`,
  ];
  return lines.join("\n");
}

/** What was measured and calibrated on, or why not. */
function measuredLines(outcome: CompressionOutcome): string[] {
  const { result, textName = "a text", calibration, task, notMeasured, notCalibrated } = outcome;
  return [
    ...(result === undefined
      ? []
      : [`measured on ${describeTokens(result)} of ${printableLine(textName)}`]),
    ...(result === undefined || calibration === undefined
      ? []
      : calibrationLines(calibration, result)),
    ...(task === undefined ? [] : [`measured on ${describeQuestions(task)}`]),
    ...(notMeasured === undefined ? [] : [`not measured: ${notMeasured}`]),
    ...(notCalibrated === undefined
      ? []
      : [`not calibrated: ${notCalibrated}; bits follow the size of the weights alone`]),
  ];
}

/** The rows that compare sizes. */
export function sizeRows(sizes: Sizes): string[][] {
  const { parameters, originalBytes, originalDtype, compressedBytes, bitsPerWeight } = sizes;
  const ratio = originalBytes / compressedBytes;
  const change = ratio >= 1
    ? `${formatFixed(ratio, 2)} times smaller than ${originalDtype}`
    : `${formatFixed(1 / ratio, 2)} times larger than ${originalDtype}`;
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
    ["mean KL divergence", "", mean, "nats a token, from the original"],
    ["99.9 % KL divergence", "", formatMeasure(klDivergence.p999), "of the tokens are below"],
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
      "half of the tokens are below",
    ],
    ["RMS change of p", "", `${change} %`, "probability of the token that came"],
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

/** `7,648 predicted tokens in 30 chunks of 256`. */
export function describeTokens(
  { protocol, tokens, chunks, contextLength, stride }: EvaluationResult,
): string {
  const step = stride === undefined ? "" : `, ${formatCount(stride)} apart`;
  return `${formatCount(tokens)} predicted tokens in ${formatCount(chunks)} ` +
    `${chunks === 1 ? "chunk" : "chunks"} of ${formatCount(contextLength)}${step}` +
    (protocol === "llama.cpp" ? "" : ` (protocol ${protocol})`);
}

function describeSeconds(seconds: Readonly<Record<string, number>>): string {
  return Object.entries(seconds)
    .map(([phase, value]) => `${phase} ${formatSeconds(value)}`)
    .join(", ");
}
