import { openDataFile, readRecords } from "../data/mod.ts";
import { evaluateTask, type TaskMetric, type TaskResult } from "../eval/mod.ts";
import { taskNamed } from "../eval/tasks/registry.ts";
import { formatCount, formatWithError } from "../eval/report/number_text.ts";
import type { Subject } from "./evaluation_subject.ts";
import { formatTable } from "./text_table.ts";
import type { Phases } from "./phases.ts";
import type { EvaluateOptions } from "./program.ts";
import type { Session } from "./session.ts";

/** `evaluate --task`: asks a model, and its original where there is one, the questions of a task. */
export async function askTask(
  task: string,
  subject: Subject,
  options: EvaluateOptions,
  phases: Phases,
  session: Session,
): Promise<void> {
  const { name, config, tokenizer, original, compressed } = subject;
  const place = options.data ?? taskNamed(task).data;
  const { signal } = session;
  const all = await phases.run(
    "read the questions",
    async () => await readRecords(await openDataFile(place, { signal })),
  );
  const result = await phases.run("ask", (report) =>
    evaluateTask({
      task,
      config,
      original: original ?? compressed ?? new Map(),
      ...(original !== undefined && compressed !== undefined && { compressed }),
      tokenizer,
      records: all.slice(0, options.limit),
      source: place,
      threads: options.threads,
      backend: options.backend,
      onProgress: (share) => report(share),
      signal,
    }));
  session.print(options.json ? JSON.stringify({ model: name, ...result }) : taskText(name, result));
}

/** The result for people. */
export function taskText(model: string, { task, questions, metrics }: TaskResult): string {
  const isCompared = Object.values(metrics).some(({ compressed }) => compressed !== undefined);
  const heading = isCompared ? ["", "original", "compressed", "change"] : ["", model];
  const rows = Object.entries(metrics).map(([name, metric]) => [name, ...cellsOf(name, metric)]);
  const table = formatTable([heading, ...rows], ["left", "right", "right", "right"]);
  const count = `${formatCount(questions)} ${questions === 1 ? "question" : "questions"}`;
  return `${isCompared ? `${model}\n\n` : ""}${table}\n\n${count} of ${task}, zero-shot`;
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
