import type { TaskMetric, TaskResult } from "../../eval/tasks/evaluate_task.ts";
import { formatCount, formatWithError } from "../../eval/report/number_text.ts";
import { printableLine } from "../../data/printable.ts";
import { formatTable } from "../terminal/text_table.ts";

/** What a task measured, without its single questions. */
export type TaskFigures = Omit<TaskResult, "samples">;

/** A task's figures for people. */
export function taskText(model: string, figures: TaskFigures): string {
  const isCompared = Object.values(figures.metrics)
    .some(({ compressed }) => compressed !== undefined);
  const name = printableLine(model);
  const heading = isCompared ? ["", "original", "compressed", "change"] : ["", name];
  const table = formatTable(
    [heading, ...metricRows(figures)],
    ["left", "right", "right", "right"],
  );
  return `${isCompared ? `${name}\n\n` : ""}${table}\n\n${describeQuestions(figures)}`;
}

/** `100 questions of piqa, zero-shot`. */
export function describeQuestions({ task, questions }: TaskFigures): string {
  return `${formatCount(questions)} ${
    questions === 1 ? "question" : "questions"
  } of ${task}, zero-shot`;
}

/** A row for each figure of both models, the change described. */
export function taskRows(figures: TaskFigures): string[][] {
  return metricRows(figures).map(([name, original, compressed, change]) => [
    name!,
    original!,
    compressed!,
    `change ${change}`,
  ]);
}

function metricRows({ metrics }: TaskFigures): string[][] {
  return Object.entries(metrics).map(([name, metric]) => [name, ...cellsOf(name, metric)]);
}

/** Accuracies in percent; a perplexity as it is, its change as a factor. */
function cellsOf(name: string, { original, compressed, change }: TaskMetric): string[] {
  const cells = [original, compressed, change].filter((estimate) => estimate !== undefined);
  return cells.map(({ value, standardError }) =>
    name === "perplexity"
      ? formatWithError(value, standardError)
      : `${formatWithError(100 * value, 100 * standardError)} %`
  );
}
