import {
  by,
  comparisonFields,
  comparisonTable,
  describeTokens,
  qualityRows,
  sizeRows,
  verdictLines,
} from "../evaluate/comparison.ts";
import { sizeFields, type Sizes } from "../evaluate/sizes.ts";
import { printableLine } from "../../data/printable.ts";
import type { BackendName, EvaluationResult } from "../../eval/mod.ts";
import { formatCount, formatMeasure, formatSeconds } from "../../eval/report/number_text.ts";
import { type CalibrationCheck, calibrationLines } from "./calibration_check.ts";
import { furtherFields, type FurtherFigures, furtherLines } from "../evaluate/further_figures.ts";
import { stageLines } from "./stage_lines.ts";
import type { TuningOutcome } from "./tuning.ts";
import { describeQuestions, type TaskFigures, taskRows } from "../evaluate/task_report.ts";

/** What was measured of a compressed model: on a text, by a task, or nothing. */
export interface Measured extends FurtherFigures {
  /** What measuring both models on a text gave. */
  readonly result?: EvaluationResult;
  /** What that text is called. */
  readonly textName?: string;
  /** What measuring them on the calibration text gave, if there was one. */
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
  /** What tuning won, where it was done. */
  readonly tuning?: TuningOutcome;
  /** Whether all matrices were given the same bits. */
  readonly uniform: boolean;
  /** Whether each layer was quantized against what those before it give. */
  readonly driftCorrected: boolean;
  /** Wall-clock seconds by phase. */
  readonly seconds: Readonly<Record<string, number>>;
  /** The file that was written. */
  readonly out: string;
  /** The command line that did it. */
  readonly command: string;
  /** What ran the models. */
  readonly backend: BackendName;
}

/** The JSON object of `compress --json`. */
export function compressionFields(outcome: CompressionOutcome): Record<string, unknown> {
  const { model, sizes, uniform, driftCorrected, seconds, out, command, backend } = outcome;
  const { result, notes = [], calibration, task, notMeasured, notCalibrated, tuning } = outcome;
  return {
    model,
    ...sizeFields(sizes),
    ...(result !== undefined && { perplexity: result.perplexity }),
    ...(notes.length > 0 && { notes }),
    ...(result !== undefined && comparisonFields(result)),
    ...(result !== undefined && furtherFields(result, outcome)),
    ...(calibration !== undefined && { calibration }),
    ...(task !== undefined && { task }),
    ...(notMeasured !== undefined && { notMeasured }),
    ...(notCalibrated !== undefined && { notCalibrated }),
    ...(tuning !== undefined && { tuning }),
    uniform,
    driftCorrected,
    seconds,
    out,
    command,
    backend,
  };
}

/** What `compress` prints for people: a table, what it was measured on, and where the file is. */
export function compressionText(outcome: CompressionOutcome): string {
  const { model, sizes, result, notes = [], task, tuning, uniform, seconds, out } = outcome;
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
    ...(tuning === undefined ? [] : [tuningLine(tuning)]),
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
  const { backend } = outcome;
  return [
    ...(result === undefined
      ? []
      : [`measured on ${describeTokens(result)} of ${printableLine(textName)}${by(backend)}`]),
    ...(result === undefined || calibration === undefined
      ? []
      : calibrationLines(calibration, result, textName)),
    ...(result === undefined ? [] : furtherLines(result, outcome)),
    ...(task === undefined ? [] : [`measured on ${describeQuestions(task)}${by(backend)}`]),
    ...(notMeasured === undefined ? [] : [`not measured: ${notMeasured}`]),
    ...(notCalibrated === undefined
      ? []
      : [`not calibrated: ${notCalibrated}; bits follow the size of the weights alone`]),
  ];
}

function tuningLine({ steps, bestStep, heldOutTokens, before, after }: TuningOutcome): string {
  const text = `${formatCount(heldOutTokens)} tokens that it was not done on`;
  if (bestStep === 0) {
    return `tuning for ${steps} steps won nothing on ${text}: the file is as it was coded`;
  }
  const won = (100 * (1 - after / before)).toFixed(0);
  return `tuned for ${bestStep} of ${steps} steps: ${won} % less divergence on ${text} (${
    formatMeasure(before)
  } nats before, ${formatMeasure(after)} after)`;
}

function describeSeconds(seconds: Readonly<Record<string, number>>): string {
  return Object.entries(seconds)
    .map(([phase, value]) => `${phase} ${formatSeconds(value)}`)
    .join(", ");
}
