import { type TaskArguments, type TaskKind, type TaskResults, taskSizes } from "./coding_tasks.ts";
import type { RunOptions } from "./task_runner.ts";

/** A task for a worker. */
export interface TaskRequest<Kind extends TaskKind = TaskKind> {
  /** Number of the task. */
  readonly index: number;
  /** Its kind. */
  readonly kind: Kind;
  /** What it is given. */
  readonly task: TaskArguments[Kind];
}

/** What a worker answers. */
export type TaskReply<Kind extends TaskKind = TaskKind> =
  | { readonly index: number; readonly result: TaskResults[Kind] }
  | { readonly failure: string };

/** Web Workers that run coding tasks, started when they are first needed. */
export class WorkerPool {
  readonly #threads: number;
  #workers: Worker[] = [];

  /** A pool of at most `threads` workers. */
  constructor(threads: number) {
    this.#threads = threads;
  }

  /**
   * Runs tasks, the largest first, and gives their results in the order of the tasks. Where one
   * fails or the signal says so, all workers end.
   */
  async run<Kind extends TaskKind>(
    kind: Kind,
    tasks: readonly TaskArguments[Kind][],
    { onDone, signal }: RunOptions = {},
  ): Promise<TaskResults[Kind][]> {
    signal?.throwIfAborted();
    if (tasks.length === 0) return [];
    this.#start(Math.min(this.#threads, tasks.length));
    const sizes = tasks.map(taskSizes[kind]);
    const order = [...tasks.keys()].sort((a, b) => sizes[b]! - sizes[a]! || a - b);
    const results = new Array<TaskResults[Kind]>(tasks.length);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const abort = () => reject(signal!.reason);
    signal?.addEventListener("abort", abort, { once: true });
    let done = 0;
    const giveNext = (worker: Worker) => {
      const index = order.shift();
      if (index === undefined) return;
      const request: TaskRequest<Kind> = { index, kind, task: tasks[index]! };
      worker.postMessage(request);
    };
    for (const worker of this.#workers) {
      worker.onmessage = ({ data }: MessageEvent<TaskReply<Kind>>) => {
        if ("failure" in data) return reject(new Error(`a worker failed: ${data.failure}`));
        results[data.index] = data.result;
        done++;
        onDone?.(done);
        if (done === tasks.length) resolve();
        giveNext(worker);
      };
      worker.onerror = (event) => {
        event.preventDefault();
        reject(new Error(`a worker stopped: ${event.message}`));
      };
      giveNext(worker);
    }
    try {
      await promise;
    } catch (error) {
      this.close();
      throw error;
    } finally {
      signal?.removeEventListener("abort", abort);
    }
    return results;
  }

  /** Ends the workers. */
  close(): void {
    for (const worker of this.#workers) worker.terminate();
    this.#workers = [];
  }

  #start(count: number): void {
    while (this.#workers.length < count) {
      const module = new URL("./coding_worker.ts", import.meta.url);
      this.#workers.push(new Worker(module, { type: "module" }));
    }
  }
}
