import type { ModelSource, TextTokenizer } from "../../data/mod.ts";
import type { BaseEvaluation } from "../../eval/mod.ts";
import type { TaskOptions } from "../../eval/tasks/evaluate_task.ts";
import type { TransformerDescription } from "../../eval/architectures/description.ts";
import { prepareTask } from "../../eval/tasks/evaluate_task.ts";
import { checkCalibration, type CheckedText } from "./calibration_check.ts";
import { measureParts, type TextFigures } from "../evaluate/further_figures.ts";
import { naming } from "../terminal/errors.ts";
import {
  type ComparedModels,
  type MeasuredText,
  measureModels,
  readMeasuredTexts,
} from "../evaluate/measure.ts";
import { hasTokenizer } from "../input/original_model.ts";
import type { Run } from "../terminal/run.ts";
import type { CompressOptions } from "../options/compress_options.ts";
import type { Measured } from "./report.ts";
import { askQuestions, readQuestions } from "../evaluate/task.ts";

/** How `compress` is going to measure what it wrote. */
export type Measurement =
  | {
    readonly kind: "text";
    readonly text: MeasuredText;
    /** Further texts. */
    readonly others: readonly MeasuredText[];
  }
  | {
    readonly kind: "task";
    readonly questions: Pick<TaskOptions, "task" | "records" | "source">;
    readonly tokenizer: TextTokenizer;
  }
  | {
    readonly kind: "none";
    /** Why nothing is measured. */
    readonly reason: string;
  };

/** The options that are about measuring on a text. */
const TEXT_OPTIONS = [
  "maxKl",
  "text",
  "byPart",
  "tokens",
  "protocol",
  "context",
  "stride",
] as const;

/**
 * Chooses how to measure, before any long work: by `--task`, not at all with `--no-evaluate`, else
 * on a text. A model that cannot be measured on a text is not measured, unless an option asks for
 * it. Throws {@linkcode InputError} if what the options ask for is impossible.
 */
export async function chooseMeasurement(
  options: CompressOptions,
  source: ModelSource,
  description: TransformerDescription,
  run: Run,
): Promise<Measurement> {
  const { task, evaluate = true } = options;
  const asksForText = TEXT_OPTIONS.some((name) => options[name] !== undefined);
  if (!evaluate) return { kind: "none", reason: "--no-evaluate" };
  if (task !== undefined) {
    const tokenizer = await source.tokenizer();
    const questions = await readQuestions(task, options, run);
    naming(source.name, () => prepareTask(questions, description));
    return { kind: "task", questions, tokenizer };
  }
  const obstacle = obstacleTo(source, description);
  if (obstacle !== undefined && !asksForText) return { kind: "none", reason: obstacle };
  const [text, ...others] = await readMeasuredTexts(
    options,
    await source.tokenizer(),
    description,
  );
  return { kind: "text", text, others };
}

/** Why a model cannot be measured on a text; undefined if it can. */
function obstacleTo(
  source: ModelSource,
  { objective }: TransformerDescription,
): string | undefined {
  if (objective === "classification") {
    return "a classifier predicts no text; --task sst2_classifier measures one";
  }
  return hasTokenizer(source) ? undefined : "the model has no tokenizer.json";
}

/** What a measurement can make use of. */
export interface EarlierFindings {
  /** The model. */
  readonly description: TransformerDescription;
  /** The text that the model was calibrated on, if there was one. */
  readonly calibrated?: CheckedText | undefined;
  /** The original's part of an earlier measurement on the text. */
  readonly base?: BaseEvaluation | undefined;
}

/**
 * Measures what was written: by the questions of a task, or on the text, and what was calibrated on
 * the calibration text too.
 */
export async function measureCompressed(
  measurement: Measurement,
  models: ComparedModels,
  options: CompressOptions,
  run: Run,
  { description, calibrated, base }: EarlierFindings,
): Promise<Measured> {
  if (measurement.kind === "none") return { notMeasured: measurement.reason };
  if (measurement.kind === "task") {
    const { questions, tokenizer } = measurement;
    const asked = { ...models, tokenizer };
    const { samples: _, ...task } = await askQuestions(questions, asked, options, run);
    return { task };
  }
  const { text, others } = measurement;
  const { signal } = run;
  const calibrationTokens = calibrated?.tokens;
  const { name: textName } = text;
  const measured = await run.phase("evaluate", async (progress) => {
    const all = [text, ...others];
    const texts: TextFigures[] = [];
    for (const [i, one] of all.entries()) {
      const share = (done: number) => progress((i + done) / all.length);
      const known = { calibrationTokens, ...(i === 0 && { base }) };
      const result = await measureModels(models, one, options, { progress: share, signal }, known);
      texts.push({ name: one.name, result });
    }
    return { result: texts[0]!.result, textName, texts };
  });
  const parts = options.byPart
    ? { parts: await measureParts(models, description, text, options, run) }
    : {};
  if (calibrated === undefined) return { ...measured, ...parts };
  const calibration = await run.phase(
    "check",
    (progress) =>
      checkCalibration(models, calibrated, text, options, { progress, signal: run.signal }),
  );
  return { ...measured, ...parts, calibration };
}
