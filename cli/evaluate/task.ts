import { basename, join } from "node:path";
import { openDataFile, readRecords } from "../../data/mod.ts";
import { writeFileAtomically } from "../../data/write_file.ts";
import {
  evaluateTask,
  prepareTask,
  type TaskOptions,
  type TaskResult,
  type TaskSample,
} from "../../eval/tasks/evaluate_task.ts";
import { taskNamed } from "../../eval/tasks/registry.ts";
import { comparedLine, openSubject, pairOf, readSubject } from "./evaluation_subject.ts";
import { naming } from "../terminal/errors.ts";
import { startOf } from "../output/kinds.ts";
import { openOutput, type Output, type OutputKind } from "../output/output.ts";
import { taskText } from "./task_report.ts";
import type { EvaluateOptions } from "../options/evaluate_options.ts";
import type { Run } from "../terminal/run.ts";

/** How the first line of a file of `--log-samples` begins. */
const LOG_START = '{"question":1,"record":';

/** `evaluate --task`: asks a model, and its original if there is one, the questions of a task. */
export async function askTask(
  task: string,
  argument: string | undefined,
  options: EvaluateOptions,
  run: Run,
): Promise<void> {
  const { logSamples } = options;
  using log = logSamples === undefined ? undefined : await openOutput(logSamples, sampleLog);
  const questions = await readQuestions(task, options, run);
  const subject = await openSubject(argument, options.original, run);
  const { name, config, description, tokenizer, comparedWith } = subject;
  naming(name, () => prepareTask(questions, description));
  const { samples, ...figures } = await askQuestions(
    questions,
    { config, ...pairOf(await readSubject(subject, run)), tokenizer },
    options,
    run,
  );
  if (logSamples !== undefined && log !== undefined) {
    await writeLog(logSamples, log, samples, run);
  }
  if (options.json) {
    const which = comparedWith === undefined ? {} : { comparedWith };
    return run.printJson({ model: name, ...which, ...figures });
  }
  const lines = comparedWith === undefined ? [] : [comparedLine(comparedWith)];
  run.print([taskText(name, figures), ...lines].join("\n"));
}

/** Questions as they were read, not looked at yet. */
export type ReadQuestions = Pick<TaskOptions, "task" | "records" | "source">;

/** Reads the questions of a task: those of `--data` or of the hub, the first `--limit` of them. */
export async function readQuestions(
  task: string,
  { data, limit }: Pick<EvaluateOptions, "data" | "limit">,
  run: Run,
): Promise<ReadQuestions> {
  const source = data ?? taskNamed(task).data;
  const all = await run.phase(
    "read the questions",
    async () => await readRecords(await openDataFile(source, { signal: run.signal })),
  );
  return { task, records: all.slice(0, limit), source };
}

/** Asks models questions. */
export async function askQuestions(
  questions: ReadQuestions,
  models: Pick<TaskOptions, "config" | "original" | "compressed" | "tokenizer">,
  { threads, backend }: Pick<EvaluateOptions, "threads" | "backend">,
  run: Run,
): Promise<TaskResult> {
  return await run.phase("ask", (progress) =>
    evaluateTask({
      ...models,
      ...questions,
      threads,
      backend,
      onProgress: (share) => progress(share),
      signal: run.signal,
    }));
}

/** A file of `--log-samples`. */
const sampleLog: OutputKind = {
  option: "--log-samples",
  shape: "file",
  foreign: async (path) =>
    await startOf(path, LOG_START.length) === LOG_START
      ? undefined
      : "exists and was not written by kanpress",
};

/** Writes a file of `--log-samples` to the place that was opened for it. */
async function writeLog(
  path: string,
  output: Output,
  samples: readonly TaskSample[],
  run: Run,
): Promise<void> {
  await output.publish((folder) =>
    writeFileAtomically(join(folder, basename(path)), sampleLines(samples), {
      signal: run.signal,
    })
  );
  run.writeLine(`each question is in ${path}`);
}

/** JSON Lines, one for each question. */
function* sampleLines(samples: readonly TaskSample[]): Iterable<Uint8Array> {
  const encoder = new TextEncoder();
  // Parquet may have 64-bit integers anywhere in a record.
  const plain = (_: string, value: unknown) => typeof value === "bigint" ? Number(value) : value;
  for (const sample of samples) yield encoder.encode(`${JSON.stringify(sample, plain)}\n`);
}
