import {
  codingTasks,
  type TaskArguments,
  type TaskKind,
  type TaskResults,
} from "./coding_tasks.ts";
import type { KeptPasses } from "./kept_passes.ts";
import type { SentTasks } from "./sent_tasks.ts";

/** How tasks of a kind are watched and stopped. */
export interface RunOptions<Kind extends TaskKind = TaskKind> {
  /** Called after each task with the number of those that are done. */
  readonly onDone?: (done: number) => void;
  /** Called with each result, in any order, and the number of its task. */
  readonly onResult?: (result: TaskResults[Kind], index: number) => void;
  /** Whether what is quantized is going to be coded, and not only measured. */
  readonly isCoded?: boolean;
  /** How many tasks there are in all, where these are some of those of a pass. */
  readonly partOf?: number;
  /** Stops the work with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** Runs tasks of one kind, side by side where it can, and gives their results in their order. */
export interface RunTasks {
  /** Runs them. */
  <Kind extends TaskKind>(
    kind: Kind,
    tasks: readonly TaskArguments[Kind][],
    options?: RunOptions<Kind>,
  ): Promise<TaskResults[Kind][]>;
  /** Where what whole passes over the matrices come to is kept, if anywhere. */
  readonly passes?: KeptPasses;
  /** Where the tasks are sent to, if anywhere. */
  readonly sent?: SentTasks;
  /** Names what decides the results of passes that are coded beside their tasks, if anything does. */
  readonly codedBy?: string;
}

/**
 * What runs tasks instead of `run`, with its help where it likes: from a store, on other machines.
 *
 * @internal
 */
export type TasksThrough = (run: RunTasks) => RunTasks;

/** A page or a terminal is left without a response for no longer than this. */
const MILLISECONDS_BETWEEN_BREAKS = 50;

/** Runs tasks one after another on the calling thread. */
export const runTasksHere: RunTasks = async <Kind extends TaskKind>(
  kind: Kind,
  tasks: readonly TaskArguments[Kind][],
  { onDone, onResult, signal }: RunOptions<Kind> = {},
) => {
  const results: TaskResults[Kind][] = [];
  let last = performance.now();
  for (const task of tasks) {
    signal?.throwIfAborted();
    const result = codingTasks[kind](task);
    results.push(result);
    onResult?.(result, results.length - 1);
    onDone?.(results.length);
    if (performance.now() - last > MILLISECONDS_BETWEEN_BREAKS) {
      await new Promise((resolve) => setTimeout(resolve, 0));
      last = performance.now();
    }
  }
  return results;
};
