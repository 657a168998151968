import {
  codingTasks,
  type TaskArguments,
  type TaskKind,
  type TaskResults,
} from "./coding_tasks.ts";

/** How tasks are watched and stopped. */
export interface RunOptions {
  /** Called after each task with the number of those that are done. */
  readonly onDone?: (done: number) => void;
  /** Stops the work with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** Runs tasks of one kind, side by side where it can, and gives their results in their order. */
export type RunTasks = <Kind extends TaskKind>(
  kind: Kind,
  tasks: readonly TaskArguments[Kind][],
  options?: RunOptions,
) => Promise<TaskResults[Kind][]>;

/** A page or a terminal is left without a response for no longer than this. */
const MILLISECONDS_BETWEEN_BREAKS = 50;

/** Runs tasks one after another on the calling thread. */
export const runTasksHere: RunTasks = async (kind, tasks, { onDone, signal } = {}) => {
  const results = [];
  let last = performance.now();
  for (const task of tasks) {
    signal?.throwIfAborted();
    results.push(codingTasks[kind](task));
    onDone?.(results.length);
    if (performance.now() - last > MILLISECONDS_BETWEEN_BREAKS) {
      await new Promise((resolve) => setTimeout(resolve, 0));
      last = performance.now();
    }
  }
  return results;
};
