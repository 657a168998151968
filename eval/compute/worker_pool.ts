import { InputError } from "../../data/input_error.ts";

/** Work that is spread over Web Workers. */
export interface WorkerPoolOptions<Setup, Job, Result> {
  /** The worker's module, which calls `serveJobs`. */
  readonly module: URL;
  /** Number of workers; never more than there are jobs. */
  readonly threads: number;
  /** Sent to each worker once; put large arrays into shared memory. */
  readonly setup: Setup;
  /** The pieces of work; each goes to whichever worker is free. */
  readonly jobs: readonly Job[];
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
  | { readonly kind: "ready" }
  | { readonly kind: "result"; readonly index: number; readonly result: Result }
  | { readonly kind: "failure"; readonly name: string; readonly message: string };

/**
 * Runs jobs in Web Workers and returns their results in the order of the jobs. The first error of a
 * worker ends all of them and is thrown; an {@linkcode InputError} arrives as one.
 */
export async function runInWorkers<Setup, Job, Result>(
  options: WorkerPoolOptions<Setup, Job, Result>,
): Promise<Result[]> {
  const { module, threads, setup, jobs, onResult, signal } = options;
  signal?.throwIfAborted();
  if (jobs.length === 0) return [];
  const workers: Worker[] = [];
  const results = new Array<Result>(jobs.length);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const abort = () => reject(signal!.reason);
  signal?.addEventListener("abort", abort, { once: true });
  let next = 0;
  let done = 0;
  const receive = (worker: Worker, reply: WorkerReply<Result>) => {
    if (reply.kind === "failure") return reject(restoreError(reply));
    if (reply.kind === "result") {
      results[reply.index] = reply.result;
      onResult?.(reply.result, reply.index);
      if (++done === jobs.length) return resolve();
    }
    if (next >= jobs.length) return;
    const index = next++;
    post<Setup, Job>(worker, { kind: "job", index, job: jobs[index]! });
  };
  try {
    for (let i = 0; i < Math.min(threads, jobs.length); i++) {
      const worker = new Worker(module, { type: "module" });
      workers.push(worker);
      worker.onmessage = ({ data }) => {
        try {
          receive(worker, data);
        } catch (error) {
          reject(error);
        }
      };
      worker.onerror = (event) => {
        event.preventDefault();
        reject(new Error(`a worker stopped: ${event.message}`));
      };
      worker.onmessageerror = () => reject(new Error("a worker sent what cannot be read"));
      post<Setup, Job>(worker, { kind: "setup", setup });
    }
    await promise;
  } finally {
    signal?.removeEventListener("abort", abort);
    for (const worker of workers) worker.terminate();
  }
  return results;
}

function post<Setup, Job>(worker: Worker, request: WorkerRequest<Setup, Job>): void {
  worker.postMessage(request);
}

function restoreError({ name, message }: { name: string; message: string }): Error {
  if (name === "InputError") return new InputError(message);
  return new Error(`a worker failed: ${message}`);
}
