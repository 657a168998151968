import { InputError } from "../data/input_error.ts";
import { isOutOfMemory, MEMORY_ADVICE, OutOfMemoryError } from "../data/out_of_memory.ts";
import type { PoolWorker } from "./web_worker.ts";

/** What the workers of a pool are. */
export interface WorkerPoolOptions<Setup> {
  /** Starts a worker whose module calls `serveJobs`. */
  readonly start: () => PoolWorker;
  /** Most workers; never more start than there are jobs. */
  readonly threads: number;
  /** Sent to each worker once; put large arrays into shared memory. */
  readonly setup: Setup;
  /** Milliseconds after which a job is lost whose worker has not said, twice, that it has it; 30,000 by default. */
  readonly longestReceipt?: number;
}

/** How jobs are watched and stopped. */
export interface RunOptions<Result> {
  /** Numbers of the jobs in the order in which they begin; theirs by default. */
  readonly order?: readonly number[];
  /** Called as each job ends, in any order. */
  readonly onResult?: (result: Result, index: number) => void;
  /** Stops the work with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** Messages to a worker. */
export type WorkerRequest<Setup, Job> =
  | { readonly kind: "setup"; readonly setup: Setup }
  | { readonly kind: "job"; readonly index: number; readonly job: Job };

/** Messages from a worker. */
export type WorkerReply<Result> =
  | { readonly kind: "received" }
  | { readonly kind: "ready" }
  | { readonly kind: "result"; readonly index: number; readonly result: Result }
  | { readonly kind: "failure"; readonly name: string; readonly message: string };

/** A worker that is free says in less than so many milliseconds that it has received a job. */
const LONGEST_RECEIPT = 30_000;

/**
 * Web Workers that are started when they are first needed and stay for further jobs. Whoever made the
 * pool closes it.
 */
export class WorkerPool<Setup, Job, Result> {
  readonly #options: WorkerPoolOptions<Setup>;
  #workers: PoolWorker[] = [];
  /** Those that have said so: others may still be starting when their first run has ended. */
  readonly #ready = new Set<PoolWorker>();

  /** A pool without workers yet. */
  constructor(options: WorkerPoolOptions<Setup>) {
    this.#options = options;
  }

  /**
   * Runs jobs, each on whichever worker is free, and gives their results in the order of the jobs. A
   * job may be a promise: its worker waits for it. The first error of a worker, or the signal, ends all
   * of them and is thrown; an {@linkcode InputError} arrives as one, and so does that memory has run
   * out, be it in reading a job. The pool can be used again afterwards.
   */
  async run(
    jobs: readonly (Job | Promise<Job>)[],
    { order = [...jobs.keys()], onResult, signal }: RunOptions<Result> = {},
  ): Promise<Result[]> {
    signal?.throwIfAborted();
    if (jobs.length === 0) return [];
    const results = new Array<Result>(jobs.length);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const abort = () => reject(signal!.reason);
    signal?.addEventListener("abort", abort, { once: true });
    let begun = 0, done = 0, isOver = false;
    const giveNext = (worker: PoolWorker) => {
      const index = order[begun++];
      if (index === undefined) return;
      Promise.resolve(jobs[index]!).then((job) => {
        if (isOver) return;
        post(worker, { kind: "job", index, job });
        expectReceipt(worker);
      }).catch(reject);
    };
    const { longestReceipt = LONGEST_RECEIPT } = this.#options;
    const receipts = new Map<PoolWorker, ReturnType<typeof setTimeout>>();
    // Engines drop a message for whose reading there is no memory, without a word. What a computer
    // that slept has missed comes between the first timer and the second.
    const expectReceipt = (worker: PoolWorker, isLate = false) => {
      const check = () => isLate ? reject(outOfMemory()) : expectReceipt(worker, true);
      receipts.set(worker, setTimeout(check, longestReceipt));
    };
    const receive = (worker: PoolWorker, reply: WorkerReply<Result>) => {
      clearTimeout(receipts.get(worker));
      if (reply.kind === "received") return;
      if (reply.kind === "failure") return reject(restoreError(reply));
      if (reply.kind === "ready") this.#ready.add(worker);
      if (reply.kind === "result") {
        results[reply.index] = reply.result;
        onResult?.(reply.result, reply.index);
        if (++done === jobs.length) return resolve();
      }
      giveNext(worker);
    };
    const listen = (worker: PoolWorker) => {
      worker.onmessage = ({ data }) => {
        try {
          receive(worker, data as WorkerReply<Result>);
        } catch (error) {
          reject(error);
        }
      };
      worker.onerror = (event) => {
        event.preventDefault();
        reject(new Error(`a worker stopped: ${event.message}`));
      };
      worker.onmessageerror = () => reject(new Error("a worker sent what cannot be read"));
    };
    try {
      for (const worker of this.#workers) {
        listen(worker);
        if (this.#ready.has(worker)) giveNext(worker);
      }
      const { start, threads, setup } = this.#options;
      while (this.#workers.length < Math.min(threads, jobs.length)) {
        const worker = start();
        this.#workers.push(worker);
        listen(worker);
        // It is given its first job when it says that it is ready.
        post(worker, { kind: "setup", setup });
      }
      await promise;
    } catch (error) {
      this.close();
      throw isOutOfMemory(error) ? outOfMemory() : error;
    } finally {
      isOver = true;
      signal?.removeEventListener("abort", abort);
      for (const timer of receipts.values()) clearTimeout(timer);
    }
    return results;
  }

  /** Ends the workers. */
  close(): void {
    for (const worker of this.#workers) worker.terminate();
    this.#workers = [];
    this.#ready.clear();
  }
}

/** Runs jobs in a {@linkcode WorkerPool} of their own, which ends with them. */
export async function runInWorkers<Setup, Job, Result>(
  { jobs, ...options }:
    & WorkerPoolOptions<Setup>
    & Omit<RunOptions<Result>, "order">
    & { readonly jobs: readonly Job[] },
): Promise<Result[]> {
  const pool = new WorkerPool<Setup, Job, Result>(options);
  try {
    return await pool.run(jobs, options);
  } finally {
    pool.close();
  }
}

function post<Setup, Job>(worker: PoolWorker, request: WorkerRequest<Setup, Job>): void {
  worker.postMessage(request);
}

function outOfMemory(): OutOfMemoryError {
  return new OutOfMemoryError(`a worker stopped: ${MEMORY_ADVICE}`);
}

function restoreError({ name, message }: { name: string; message: string }): Error {
  if (name === "InputError") return new InputError(message);
  if (isOutOfMemory({ name, message })) return outOfMemory();
  return new Error(`a worker failed: ${message}`);
}
