import { collectGarbage } from "../../data/collect_garbage.ts";
import { Worker } from "../../workers/web_worker.ts";
import { WorkerPool } from "../../workers/worker_pool.ts";
import {
  type CodingJob,
  type TaskArguments,
  type TaskKind,
  type TaskResults,
  taskSizes,
} from "./coding_tasks.ts";
import { type RunOptions, type RunTasks, runTasksHere, type TasksThrough } from "./task_runner.ts";

type CodingPool = WorkerPool<undefined, CodingJob, TaskResults[TaskKind]>;

/** What runs the tasks of each set of workers. */
const runners = new WeakMap<CodingWorkers, RunTasks>();

/**
 * Web Workers that quantize and code matrices side by side. They start when they are first needed;
 * whoever made them closes them. The bytes do not depend on their number.
 *
 * ```ts
 * import { CodingWorkers } from "./coding_workers.ts";
 * import { createFieldLevel } from "../levels/field_level.ts";
 * import { createTrellisLevel } from "../levels/trellis_level.ts";
 * import assert from "node:assert";
 *
 * const data = Float32Array.from({ length: 600 }, (_, i) => Math.sin(i * i));
 * const workers = new CodingWorkers(2);
 * const context = { seed: 0, workers };
 * const { output } = await createFieldLevel({ step: 0.1 }).encode(
 *   [{ name: "w", rows: 20, columns: 30, data }],
 *   context,
 * );
 * const { encoded } = await createTrellisLevel({ states: 8 }).encode(output, context);
 * workers.close();
 * assert.deepEqual([...encoded.streams.keys()], ["fields", "codes.0"]);
 * ```
 */
export class CodingWorkers {
  readonly #pool: CodingPool | undefined;

  /**
   * At most `threads` workers. With 1 the calling thread does the work, unless `apart` asks for a
   * worker there too: it is stopped at once, where the platform has workers. `through` may put a store
   * or other machines before them.
   */
  constructor(threads: number, apart: boolean = false, through?: TasksThrough) {
    let run = runTasksHere;
    if (threads > 1 || (apart && Worker !== undefined)) {
      const start = () =>
        new Worker(new URL("./coding_worker.ts", import.meta.url), { type: "module" });
      this.#pool = new WorkerPool({ start, threads, setup: undefined });
      run = inPool(this.#pool);
    }
    runners.set(this, through?.(run) ?? run);
  }

  /** Ends the workers. */
  close(): void {
    this.#pool?.close();
  }
}

/** Runs tasks in a pool, the largest first. */
function inPool(pool: CodingPool): RunTasks {
  return async <Kind extends TaskKind>(
    kind: Kind,
    tasks: readonly TaskArguments[Kind][],
    { onDone, onResult, signal }: RunOptions<Kind> = {},
  ) => {
    const sizes = tasks.map(taskSizes[kind]);
    const order = [...tasks.keys()].sort((a, b) => sizes[b]! - sizes[a]! || a - b);
    let done = 0;
    const results = await pool.run(tasks.map((task) => ({ kind, task }) as CodingJob), {
      order,
      onResult: (result, index) => {
        // What was read to be sent.
        if (isOfFile(tasks[index]!)) collectGarbage();
        onResult?.(result as TaskResults[Kind], index);
        done++;
        onDone?.(done);
      },
      ...(signal !== undefined && { signal }),
    });
    return results as TaskResults[Kind][];
  };
}

/** Whether memory is so short that what a task gives goes to a file. */
function isOfFile(task: TaskArguments[TaskKind]): boolean {
  return "indices" in task && task.indices !== undefined && "file" in task.indices;
}

/** What runs tasks in some workers, or on the calling thread. */
export function runnerOf(workers: CodingWorkers | undefined): RunTasks {
  return (workers && runners.get(workers)) ?? runTasksHere;
}
