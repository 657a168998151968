import { InputError } from "../../data/input_error.ts";
import type { DataRecord } from "../../data/records.ts";
import type { TextTokenizer } from "../../data/tokenizer.ts";
import type { TransformerDescription } from "../architectures/description.ts";
import { describeModel } from "../architectures/registry.ts";
import type { Window } from "../protocols/window.ts";
import { scoreWindows, type ScoringOptions } from "../score_windows.ts";
import { type Estimate, expEstimate, meanEstimate } from "../statistics.ts";
import { checkTokenIds } from "../token_ids.ts";
import { classificationWindow, continuationWindow } from "./encode_continuation.ts";
import { taskNamed } from "./registry.ts";
import type { Task } from "./task.ts";

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
  /** Of the compressed model, where there is one. */
  readonly compressed?: Estimate;
  /** Compressed minus original, question by question (of the perplexity: their ratio). */
  readonly change?: Estimate;
}

/** What {@linkcode evaluateTask} measured. */
export interface TaskResult {
  /** Name of the task. */
  readonly task: string;
  /** Number of questions. */
  readonly questions: number;
  /** Figures by lm-eval's names: `acc`, `acc_norm`, `perplexity`. */
  readonly metrics: Readonly<Record<string, TaskMetric>>;
}

/** Windows of questions and how answers are read off their losses. */
interface PlannedTask {
  readonly windows: readonly Window[];
  /** One value a question for each metric, from the loss and the hits of each window. */
  readonly measure: (losses: readonly number[], hits: readonly boolean[]) => Values;
}

/** One value a question, by metric. */
type Values = Readonly<Record<string, readonly number[]>>;

/**
 * Asks a model the questions of a task, zero-shot, with the prompts and conventions of
 * EleutherAI's lm-evaluation-harness. Throws {@linkcode InputError} where a record lacks a field, or
 * the task does not suit the model.
 *
 * ```ts
 * import { embeddedModelPath, openModel } from "@kanpress/kanpress/data";
 * import { evaluateTask, readStateDict } from "@kanpress/kanpress/eval";
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
  const task = taskNamed(options.task);
  const model = describeModel(options.config, options.original.keys());
  checkObjective(task, model);
  if (options.records.length === 0) throw new InputError("the data set has no records");
  const { windows, measure } = planTask(task, model, options);
  for (const { tokens } of windows) checkTokenIds(tokens, model.vocabularySize);
  const { scores } = await scoreWindows(model, windows, options);
  const valuesOf = (losses: Float64Array, tops: Int32Array) => {
    let at = 0;
    const sums: number[] = [];
    const hits: boolean[] = [];
    for (const { labels } of windows) {
      sums.push(losses.subarray(at, at + labels.length).reduce((sum, loss) => sum + loss, 0));
      hits.push(labels.every((label, i) => tops[at + i] === label));
      at += labels.length;
    }
    return measure(sums, hits);
  };
  const original = valuesOf(scores.original, scores.originalTop);
  const { compressed, compressedTop } = scores;
  const other = compressed && compressedTop && valuesOf(compressed, compressedTop);
  const metrics = Object.entries(original).map(([name, values]) =>
    [name, summarize(name, values, other?.[name])] as const
  );
  const questions = options.records.length;
  return { task: task.name, questions, metrics: Object.fromEntries(metrics) };
}

function checkObjective({ kind, name }: Task, { objective, modelType }: TransformerDescription) {
  const wanted = kind === "classification" ? "classification" : "nextToken";
  if (objective === wanted) return;
  throw new InputError(
    `the task ${name} does not suit this ${modelType} model; it needs one ` +
      (wanted === "nextToken" ? "that predicts next tokens" : "with a classifier"),
  );
}

function planTask(task: Task, model: TransformerDescription, options: TaskOptions): PlannedTask {
  const { records, source = "the data set", tokenizer } = options;
  const entries = records.map((record, i) => ({ record, where: `${source}: record ${i + 1}` }));
  const { contextLength } = model;
  if (task.kind === "classification") {
    const texts = entries.map(task.read);
    return {
      windows: texts.map((text, i) => classificationWindow(text, tokenizer, contextLength, i)),
      measure: (_, hits) => ({ acc: hits.map(Number) }),
    };
  }
  if (task.kind === "completion") {
    const texts = entries.map(task.read);
    return {
      windows: texts.map((text, i) => continuationWindow(text, tokenizer, contextLength, i)),
      measure: (losses, hits) => ({ perplexity: losses, acc: hits.map(Number) }),
    };
  }
  const questions = entries.map(task.read);
  const choicesOf = (values: readonly number[]) => {
    let at = 0;
    return questions.map(({ choices }) => values.slice(at, at += choices.length));
  };
  return {
    windows: questions.flatMap(({ choices }, i) =>
      choices.map((choice) => continuationWindow(choice, tokenizer, contextLength, i))
    ),
    measure(losses) {
      const byQuestion = choicesOf(losses);
      const isRight = (values: readonly number[], i: number) =>
        Number(indexOfSmallest(values) === questions[i]!.answer);
      const acc = byQuestion.map(isRight);
      if (!task.normalizes) return { acc };
      const acc_norm = byQuestion.map((values, i) =>
        isRight(values.map((loss, choice) => loss / questions[i]!.lengths[choice]!), i)
      );
      return { acc, acc_norm };
    },
  };
}

function indexOfSmallest(values: readonly number[]): number {
  return values.reduce((best, value, i) => value < values[best]! ? i : best, 0);
}

/** The perplexity of a task is exp of the mean loss of its answers; all else are plain means. */
function summarize(
  name: string,
  original: readonly number[],
  compressed: readonly number[] | undefined,
): TaskMetric {
  const finish = (estimate: Estimate) => name === "perplexity" ? expEstimate(estimate) : estimate;
  const first = { original: finish(meanEstimate(original)) };
  if (compressed === undefined) return first;
  const change = compressed.map((value, i) => value - original[i]!);
  return {
    ...first,
    compressed: finish(meanEstimate(compressed)),
    change: finish(meanEstimate(change)),
  };
}
