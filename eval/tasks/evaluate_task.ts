import { InputError } from "../../data/input_error.ts";
import type { DataRecord } from "../../data/records.ts";
import type { TextTokenizer } from "../../data/tokenizer.ts";
import type { TransformerDescription } from "../architectures/description.ts";
import { describeModel } from "../architectures/registry.ts";
import type { Window } from "../protocols/window.ts";
import { scoreWindows, type ScoringOptions } from "../scoring/score_windows.ts";
import { type Estimate, expEstimate, meanEstimate } from "../scores/statistics.ts";
import { checkTokenIds } from "../architectures/token_ids.ts";
import { taskNamed } from "./registry.ts";
import type { Task } from "./task.ts";
import {
  PERPLEXITY,
  type PlannedQuestion,
  planQuestions,
  questionWindows,
  type RequestAnswer,
  type TaskRequest,
} from "./task_plan.ts";

/** What {@linkcode evaluateTask} is given. */
export interface TaskOptions extends ScoringOptions {
  /** One of {@linkcode taskNames}. */
  readonly task: string;
  /** The data set, with the fields that the task has on the hub. */
  readonly records: readonly DataRecord[];
  /** Name of the data set, for messages. */
  readonly source?: string;
  /** The model's tokenizer. */
  readonly tokenizer: TextTokenizer;
}

/** A figure of each model, and how they differ. */
export interface TaskMetric {
  /** Of the original model. */
  readonly original: Estimate;
  /** Of the compressed model, if there is one. */
  readonly compressed?: Estimate;
  /** Compressed minus original, question by question (of the perplexity: their ratio). */
  readonly change?: Estimate;
}

/** What a model did with one question. */
export interface SampleOutcome {
  /** Natural logarithms of the probabilities of the continuations, or of the right class. */
  readonly logLikelihoods: readonly number[];
  /** Whether each token of a continuation (the right class) was the likeliest. */
  readonly isGreedy: readonly boolean[];
  /** 1 where the question was answered rightly by a metric, else 0. */
  readonly metrics: Readonly<Record<string, number>>;
}

/** One question, what was asked, and what came of it. */
export interface TaskSample {
  /** Its number in the data set, from 1. */
  readonly question: number;
  /** The record that it was read from. */
  readonly record: DataRecord;
  /** What the models were asked, word for word. */
  readonly requests: readonly TaskRequest[];
  /** Number of the right choice or class, from 0; a completion has none. */
  readonly answer?: number;
  /** What the original model did. */
  readonly original: SampleOutcome;
  /** What the compressed model did, if there is one. */
  readonly compressed?: SampleOutcome;
}

/** What {@linkcode evaluateTask} measured. */
export interface TaskResult {
  /** Name of the task. */
  readonly task: string;
  /** Number of questions. */
  readonly questions: number;
  /** Figures by lm-eval's names: `acc`, `acc_norm`, `perplexity`. */
  readonly metrics: Readonly<Record<string, TaskMetric>>;
  /** Each question, in the order of the data set. */
  readonly samples: readonly TaskSample[];
}

/**
 * Asks a model the questions of a task, zero-shot, with the prompts and conventions of
 * EleutherAI's lm-evaluation-harness. Throws {@linkcode InputError} if a record lacks a field, or
 * the task does not suit the model.
 *
 * ```ts
 * import { embeddedModelPath, openModel } from "@kanpress/kanpress/data";
 * import { evaluateTask } from "@kanpress/kanpress/eval/tasks";
 * import { readStateDict } from "@kanpress/kanpress/eval";
 * import assert from "node:assert";
 *
 * const source = await openModel(embeddedModelPath());
 * const { metrics } = await evaluateTask({
 *   task: "lambada_openai",
 *   config: source.config,
 *   original: await readStateDict(source),
 *   tokenizer: await source.tokenizer(),
 *   records: [{ text: "She looked at him, and he looked at her" }],
 *   threads: 1,
 * });
 * assert.ok([0, 1].includes(metrics["acc"]!.original.value));
 * ```
 */
export async function evaluateTask(options: TaskOptions): Promise<TaskResult> {
  const model = describeModel(options.config, options.original.keys());
  const { task, questions } = prepareTask(options, model);
  const { records, tokenizer } = options;
  const windows = questions.flatMap((question, i) =>
    questionWindows(question, tokenizer, model, i)
  );
  for (const { tokens } of windows) checkTokenIds(tokens, model.vocabularySize);
  const { scores } = await scoreWindows(model, windows, options);
  const { compressed, compressedTop } = scores;
  const original = outcomes(questions, windows, scores.original, scores.originalTop);
  const other = compressed && compressedTop &&
    outcomes(questions, windows, compressed, compressedTop);
  return {
    task: task.name,
    questions: questions.length,
    metrics: summarize(original, other),
    samples: questions.map(({ requests, answer }, i) => ({
      question: i + 1,
      record: records[i]!,
      requests,
      ...(answer !== undefined && { answer }),
      original: sampleOutcome(original[i]!),
      ...(other !== undefined && { compressed: sampleOutcome(other[i]!) }),
    })),
  };
}

/** How each question was answered, and its value of each metric. */
interface Outcome {
  readonly answers: readonly RequestAnswer[];
  readonly values: Readonly<Record<string, number>>;
}

/** Gathers the losses and likeliest tokens of all windows' rows by question. */
function outcomes(
  questions: readonly PlannedQuestion[],
  windows: readonly Window[],
  losses: Float64Array,
  tops: Int32Array,
): Outcome[] {
  let row = 0;
  const answers = windows.map(({ labels }): RequestAnswer => {
    const start = row;
    row += labels.length;
    const logLikelihood = -losses.subarray(start, row).reduce((sum, loss) => sum + loss, 0);
    return { logLikelihood, isGreedy: labels.every((label, i) => tops[start + i] === label) };
  });
  let at = 0;
  return questions.map(({ requests, measure }) => {
    const own = answers.slice(at, at += requests.length);
    return { answers: own, values: measure(own) };
  });
}

function sampleOutcome({ answers, values: { [PERPLEXITY]: _, ...metrics } }: Outcome) {
  return {
    logLikelihoods: answers.map(({ logLikelihood }) => logLikelihood),
    isGreedy: answers.map(({ isGreedy }) => isGreedy),
    metrics,
  };
}

/**
 * Reads the questions of a task that a model is going to be asked; throws {@linkcode InputError}
 * where a record lacks a field, there is none, or the task does not suit the model.
 */
export function prepareTask(
  { task: name, records, source = "the data set" }: Pick<
    TaskOptions,
    "task" | "records" | "source"
  >,
  model: TransformerDescription,
): { readonly task: Task; readonly questions: readonly PlannedQuestion[] } {
  const task = taskNamed(name);
  checkObjective(task, model);
  if (records.length === 0) throw new InputError("the data set has no records");
  const entries = records.map((record, i) => ({ record, where: `${source}: record ${i + 1}` }));
  return { task, questions: planQuestions(task, entries) };
}

function checkObjective({ kind, name }: Task, { objective, modelType }: TransformerDescription) {
  const wanted = kind === "classification" ? "classification" : "nextToken";
  if (objective === wanted) return;
  throw new InputError(
    `the task ${name} does not suit this ${modelType} model; it needs one ` +
      (wanted === "nextToken" ? "that predicts next tokens" : "with a classifier"),
  );
}

/** The perplexity of a task is exp of the mean loss of its answers; all else are plain means. */
function summarize(
  original: readonly Outcome[],
  compressed: readonly Outcome[] | undefined,
): Record<string, TaskMetric> {
  const names = Object.keys(original[0]!.values);
  return Object.fromEntries(names.map((name) => {
    const valuesOf = (outcomes: readonly Outcome[]) => outcomes.map(({ values }) => values[name]!);
    const estimate = (values: readonly number[]) =>
      name === PERPLEXITY ? expEstimate(meanEstimate(values)) : meanEstimate(values);
    const [first, second] = [valuesOf(original), compressed && valuesOf(compressed)];
    const metric: TaskMetric = {
      original: estimate(first),
      ...(second !== undefined && {
        compressed: estimate(second),
        change: estimate(second.map((value, i) => value - first[i]!)),
      }),
    };
    return [name, metric];
  }));
}
