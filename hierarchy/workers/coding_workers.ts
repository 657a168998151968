import { type RunTasks, runTasksHere } from "./task_runner.ts";
import { WorkerPool } from "./worker_pool.ts";

/** What runs the tasks of each set of workers. */
const runners = new WeakMap<CodingWorkers, RunTasks>();

/**
 * Web Workers that quantize and code matrices side by side. They start when they are first needed;
 * whoever made them closes them. The bytes do not depend on their number.
 *
 * ```ts
 * import { CodingWorkers, createFieldLevel, createTrellisLevel } from "@kanpress/kanpress/hierarchy";
 * import assert from "node:assert";
 *
 * const data = Float32Array.from({ length: 600 }, (_, i) => Math.sin(i * i));
 * const workers = new CodingWorkers(2);
 * const context = { seed: 0, workers };
 * const { handsOn } = await createFieldLevel({ step: 0.1 }).encode(
 *   [{ name: "w", rows: 20, columns: 30, data }],
 *   context,
 * );
 * const { encoded } = await createTrellisLevel({ states: 8 }).encode(handsOn, context);
 * workers.close();
 * assert.deepEqual([...encoded.streams.keys()], ["fields", "codes.0"]);
 * ```
 */
export class CodingWorkers {
  readonly #pool: WorkerPool | undefined;

  /** At most `threads` workers; with 1 the calling thread does the work. */
  constructor(threads: number) {
    if (threads === 1) return;
    const pool = this.#pool = new WorkerPool(threads);
    runners.set(this, (kind, tasks, options) => pool.run(kind, tasks, options));
  }

  /** Ends the workers. */
  close(): void {
    this.#pool?.close();
  }
}

/** What runs tasks in some workers, or on the calling thread. */
export function runnerOf(workers: CodingWorkers | undefined): RunTasks {
  return (workers && runners.get(workers)) ?? runTasksHere;
}
