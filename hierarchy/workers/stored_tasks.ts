import { isFileArray } from "../../data/file_array.ts";
import type { Store } from "../../store/store.ts";
import type {
  CountedMatrix,
  QuantizeTask,
  TaskArguments,
  TaskKind,
  TaskResults,
} from "./coding_tasks.ts";
import { IndexFile } from "../quantize/index_file.ts";
import { KeptPasses, type NotedTask } from "./kept_passes.ts";
import { getResult, putResult, TaskPacker } from "./packed_tasks.ts";
import type { RunOptions, RunTasks } from "./task_runner.ts";

/** How {@linkcode storedTasks} tells what it does. */
export interface StoredTasksOptions {
  /**
   * Called for each run of tasks, before it begins: how many the store had, of how many, and how many there
   * are in all where these are some of those of a pass.
   */
  readonly onFound?: (kind: TaskKind, found: number, tasks: number, partOf?: number) => void;
}

/**
 * Runs tasks with `run`, but takes those results from the store that it has, and keeps each other one
 * there as soon as it is known. Results are the same. An error of the store ends the run. What whole
 * passes come to is kept in place of the results of their tasks.
 */
export function storedTasks(
  run: RunTasks,
  store: Store,
  { onFound }: StoredTasksOptions = {},
): RunTasks {
  const packer = new TaskPacker();
  const passes = new KeptPasses(store, packer, {
    onFound: (matrices) => onFound?.("quantize", matrices, matrices),
    sent: run.sent,
  });
  const stored = async <Kind extends TaskKind>(
    kind: Kind,
    tasks: readonly TaskArguments[Kind][],
    { onDone, onResult, partOf, signal }: RunOptions<Kind> = {},
  ) => {
    packer.forget();
    const results = new Array<TaskResults[Kind]>(tasks.length);
    const entries: NotedTask[] = [];
    const missing: number[] = [];
    for (const [index, task] of tasks.entries()) {
      signal?.throwIfAborted();
      const { key, blobs: made } = await packer.pack(kind, task);
      const blobs: string[] = [];
      entries.push({ key, blobs, madeOf: [...made.keys()] });
      const found = await getResult(store, kind, key, (name) => blobs.push(name));
      if (found === undefined) {
        missing.push(index);
        continue;
      }
      results[index] = intoGiven(kind, task, found);
      onResult?.(results[index]!, index);
      onDone?.(index + 1 - missing.length);
    }
    packer.forget();
    const found = tasks.length - missing.length;
    onFound?.(kind, found, tasks.length, partOf);
    if (missing.length > 0) {
      const stop = new AbortController();
      const puts: Promise<void>[] = [];
      const keep = async (index: number, result: TaskResults[Kind]) => {
        const entry = entries[index]!;
        entry.blobs = await putResult(store, kind, entry.key, result);
      };
      const made = run(kind, missing.map((index) => tasks[index]!), {
        signal: signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]),
        onDone: (done) => onDone?.(found + done),
        onResult(result, i) {
          const index = missing[i]!;
          results[index] = result;
          puts.push(keep(index, result).catch((error) => stop.abort(error)));
          onResult?.(result, index);
        },
      });
      try {
        await made;
      } finally {
        // What is done is kept, also where another task failed.
        await Promise.all(puts);
      }
      stop.signal.throwIfAborted();
    }
    for (const entry of entries) passes.note(kind, entry);
    return results;
  };
  return Object.assign(stored, { passes });
}

/** Indices that are copied to a file at once. */
const COPIED = 2 ** 18;

/** A result with its indices where the task wants them. */
export function intoGiven<Kind extends TaskKind>(
  kind: Kind,
  task: TaskArguments[Kind],
  result: TaskResults[Kind],
): TaskResults[Kind] {
  if (kind !== "quantize") return result;
  const { indices: given } = task as QuantizeTask;
  const found = result as CountedMatrix;
  if (given === undefined || isFileArray(found.indices)) return result;
  if ("file" in given) {
    const file = new IndexFile(given);
    for (let first = 0; first < found.indices.length; first += COPIED) {
      file.set(Int32Array.from(found.indices.subarray(first, first + COPIED)));
    }
    return { ...found, indices: file.finish() } as TaskResults[Kind];
  }
  if (given.constructor !== found.indices.constructor) return result;
  given.set(found.indices);
  return { ...found, indices: given } as TaskResults[Kind];
}
