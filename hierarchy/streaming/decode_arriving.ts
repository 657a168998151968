import { InputError } from "../../data/input_error.ts";
import { Worker } from "../../workers/web_worker.ts";
import { WorkerPool } from "../../workers/worker_pool.ts";
import type { NamedTensor } from "../file/decode_groups.ts";
import type { ArrivingGroups } from "./arriving_groups.ts";
import { createGroupDecoder, type GroupDecoderSetup, type GroupJob } from "./group_decoder.ts";

/** How groups are decoded. */
export interface DecodeArrivingOptions {
  /** Most workers; with 1, the calling thread decodes. */
  readonly threads: number;
  /** Called with the tensors of a group, in any order of groups. */
  readonly onGroup: (tensors: readonly NamedTensor[]) => void;
  /** Stops the work with the signal's reason. */
  readonly signal: AbortSignal;
}

/**
 * Decodes groups as they arrive, in workers where the platform starts them. Throws
 * {@linkcode InputError} where the file is damaged, and whatever reading it throws.
 */
export async function decodeArriving(
  { setup, jobs }: ArrivingGroups,
  { threads, onGroup, signal }: DecodeArrivingOptions,
): Promise<void> {
  const left = new Set(jobs.keys());
  const end = (index: number, tensors: readonly NamedTensor[]) => {
    left.delete(index);
    onGroup(tensors);
  };
  if (threads > 1 && jobs.length > 1 && Worker !== undefined) {
    try {
      return await decodeInWorkers(setup, jobs, threads, end, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof InputError) throw error;
      // Such as a page whose policy allows no workers, or a bundle without the worker's module.
    }
  }
  const decode = createGroupDecoder(setup);
  for (const index of left) end(index, await decode(await jobs[index]!, signal));
}

async function decodeInWorkers(
  setup: GroupDecoderSetup,
  jobs: readonly Promise<GroupJob>[],
  threads: number,
  onResult: (index: number, tensors: readonly NamedTensor[]) => void,
  signal: AbortSignal,
): Promise<void> {
  const start = () =>
    new Worker(new URL("./decode_worker.ts", import.meta.url), { type: "module" });
  const pool = new WorkerPool<GroupDecoderSetup, GroupJob, NamedTensor[]>({
    start,
    threads,
    setup,
  });
  try {
    await pool.run(jobs, { signal, onResult: (tensors, index) => onResult(index, tensors) });
  } finally {
    pool.close();
  }
}
