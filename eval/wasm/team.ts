import { sharedInt32Array } from "../../workers/shared_array.ts";
import { type PoolWorker, Worker } from "../../workers/web_worker.ts";
import { BARRIER_WORDS } from "./barrier.ts";
import type { Kernels } from "./kernels.ts";
import { runPass } from "./pass.ts";
import type { PassJob, PassThread } from "./pass_thread.ts";
import { createThread, type TeamMessage, type TeamReply, type TeamSetup } from "./team_thread.ts";

/** This thread and workers, that run passes together. */
export class Team {
  readonly #thread: PassThread;
  readonly #workers: readonly PoolWorker[];

  private constructor(thread: PassThread, workers: readonly PoolWorker[]) {
    this.#thread = thread;
    this.#workers = workers;
  }

  /** Starts `setup.count` threads, of which this one is the first. */
  static async start(
    given: Omit<TeamSetup, "barrier">,
    kernels: Kernels,
  ): Promise<Team> {
    const setup = { ...given, barrier: sharedInt32Array(BARRIER_WORDS) };
    const workers: PoolWorker[] = [];
    try {
      await Promise.all(Array.from({ length: setup.count - 1 }, (_, i) => {
        const worker = new Worker(new URL("./team_worker.ts", import.meta.url), { type: "module" });
        workers.push(worker);
        return ready(worker, { kind: "setup", setup, index: i + 1 });
      }));
    } catch (error) {
      for (const worker of workers) worker.terminate();
      throw error;
    }
    return new Team(createThread(setup, 0, kernels), workers);
  }

  /** Runs a pass: all its results are there afterwards. */
  run(job: PassJob): void {
    for (const worker of this.#workers) worker.postMessage({ kind: "pass", job });
    runPass(this.#thread, job);
  }

  /** Ends the workers. */
  dispose(): void {
    for (const worker of this.#workers) worker.terminate();
  }
}

function ready(worker: PoolWorker, message: TeamMessage): Promise<void> {
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => {
      const reply = data as TeamReply;
      if (reply === "ready") resolve();
      else reject(new Error(`a thread that writes has failed: ${reply.failure}`));
    };
    worker.onerror = (event) => {
      event.preventDefault();
      reject(new Error(`a thread that writes did not start: ${event.message}`));
    };
    worker.postMessage(message);
  });
}
