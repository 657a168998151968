import type { Queue, QueueEvents } from "bullmq";
import { hideCredentials } from "../data/shown_url.ts";
import { InputError } from "../data/input_error.ts";
import { quote } from "../data/quote.ts";
import {
  type TaskArguments,
  type TaskKind,
  type TaskResults,
  taskSizes,
} from "../hierarchy/workers/coding_tasks.ts";
import {
  getResult,
  type PackedTask,
  putTask,
  TaskPacker,
} from "../hierarchy/workers/packed_tasks.ts";
import { KeptPasses, type NotedTask } from "../hierarchy/workers/kept_passes.ts";
import { intoGiven } from "../hierarchy/workers/stored_tasks.ts";
import type { SentTasks } from "../hierarchy/workers/sent_tasks.ts";
import type { RunOptions, RunTasks } from "../hierarchy/workers/task_runner.ts";
import { type CodingJob, LOCK, memoryClass, memoryNeed, queueName, TRIES } from "./coding_queue.ts";
import { NeededArrays } from "./needed_arrays.ts";
import { type GroupQueue, openGroupQueue, TaskGroups } from "./task_groups.ts";
import { type Presence, takePart } from "./presence.ts";
import { KEY_PREFIX, type RedisLink, writeError } from "./redis_link.ts";
import { shortenLocks } from "./server_clock.ts";
import type { SharedStore } from "./shared_store.ts";
import { WorkerWatch } from "./worker_watch.ts";
import { loadBullmq } from "./load_bullmq.ts";

/** How often it is looked whether jobs are still there, in milliseconds. */
const BETWEEN_CHECKS = 3000;
/** After so many looks at groups, each job is looked at. */
const LOOKS_AT_GROUPS = 10;
/** A job that so many looks find delayed is due: clocks of workers may be wrong. */
const MOST_DELAYED = 4;
/** Leaving takes no longer than this, in milliseconds: the server may not answer. */
const LONGEST_LEAVING = 1000;
/** Removing what is needed no more, after all is done, takes no longer than this, in milliseconds. */
const LONGEST_FINISH = 20_000;
/** How often a job may end without a result: once for each time that the server is started empty. */
const MOST_LOSSES = 20;

/** Where tasks are put, and who hears of it. */
export interface DistributedOptions {
  /** The server that has the queues. */
  readonly link: RedisLink;
  /** The store that the workers see too. */
  readonly shared: SharedStore;
  /** How the user calls the command line, for what is told; `kanpress` if omitted. */
  readonly program?: string;
  /** Told in a line which workers come and go, and what is being waited for. */
  readonly onMessage?: (line: string) => void;
}

/** A task that is being waited for. */
interface Pending {
  /** Numbers of the tasks that are the same. */
  readonly indices: number[];
  readonly key: string;
  readonly queue: Queue<CodingJob>;
  readonly need: number;
  /** How often it had ended, or was gone, and left no result. */
  losses: number;
}

/** What is to be done when a job has ended, by the job. */
type Endings = Map<string, (failure?: string) => void>;

/**
 * Runs coding tasks on workers of other processes and machines, through BullMQ's queues on a Redis
 * server. What a task is made of, and its result, is in a store that all see; a job has their name
 * only. Results are those of one machine.
 *
 * Jobs are tried again where a worker fails or dies. Jobs and entries that a server lost are put there
 * again, so that it may be started anew, empty or not, while a run waits.
 */
export class DistributedTasks {
  readonly #options: DistributedOptions;
  readonly #presence: Presence;
  readonly #watch: WorkerWatch;
  readonly #queues = new Map<string, Queue<CodingJob>>();
  readonly #events: QueueEvents[] = [];
  readonly #endings: Endings = new Map();
  readonly #packer = new TaskPacker();
  readonly #groupQueue: GroupQueue;
  readonly #groups = new Set<TaskGroups>();
  readonly #arrays: NeededArrays;
  readonly #sent: SentTasks;
  #closing: Promise<void> | undefined;

  private constructor(options: DistributedOptions, presence: Presence, groupQueue: GroupQueue) {
    this.#options = options;
    this.#presence = presence;
    this.#groupQueue = groupQueue;
    this.#watch = new WorkerWatch(options);
    const { link, shared } = options;
    this.#arrays = new NeededArrays(link, shared, presence.id);
    this.#sent = { store: shared.store, need: (blobs) => this.#arrays.need(blobs) };
    this.run = this.#runner();
  }

  /** Makes the run known to workers. */
  static async open(options: DistributedOptions): Promise<DistributedTasks> {
    const { link, shared: { label } } = options;
    const presence = await takePart(link, "run", { store: label, threads: 0, memory: 0 });
    const tasks = new DistributedTasks(options, presence, await openGroupQueue(link, label));
    await tasks.#watch.look();
    return tasks;
  }

  /** Runs tasks of a kind on the workers, the largest first. */
  readonly run: RunTasks;

  /** As {@linkcode run}; what passes come to is kept in the shared store in place of their tasks. */
  runKept(): RunTasks {
    return this.#runner(
      new KeptPasses(this.#options.shared.store, this.#packer, { sent: this.#sent }),
    );
  }

  /**
   * To be called when nobody is going to go on with the run: what it has sent is needed no more. Gives the
   * number of large arrays that are left to other runs.
   */
  async finish(): Promise<number> {
    await inTime(this.#arrays.need(new Set()), LONGEST_FINISH);
    return this.#arrays.left;
  }

  #runner(passes?: KeptPasses): RunTasks {
    const run: RunTasks = async (kind, tasks, options) => {
      const noted: NotedTask[] = [];
      const results = await this.#run(kind, tasks, noted, options);
      for (const task of noted) passes?.note(kind, task);
      return results;
    };
    return Object.assign(run, { sent: this.#sent, ...(passes && { passes }) });
  }

  /** Runs tasks; `noted` gets the names of each, in order. */
  async #run<Kind extends TaskKind>(
    kind: Kind,
    tasks: readonly TaskArguments[Kind][],
    noted: NotedTask[],
    { onDone, onResult, signal }: RunOptions<Kind> = {},
  ): Promise<TaskResults[Kind][]> {
    const { store } = this.#options.shared;
    const results = new Array<TaskResults[Kind]>(tasks.length);
    const resultOf = (key: string, indices: readonly number[]) => {
      const blobs = new Set<string>();
      for (const index of indices) noted[index]!.blobs = blobs;
      return getResult(store, kind, key, (blob) => blobs.add(blob));
    };
    const pending = new Map<string, Pending>();
    const end = Promise.withResolvers<void>();
    // An error while tasks are still being put is thrown when they all are.
    end.promise.catch(() => {});
    let done = 0, isAllPut = false, hasEnded = false;
    const fail = (error: unknown) => {
      hasEnded = true;
      end.reject(error);
    };
    const stop = () => fail(signal!.reason);
    const give = (indices: readonly number[], result: TaskResults[Kind]) => {
      for (const index of indices) {
        results[index] = intoGiven(kind, tasks[index]!, result);
        onResult?.(results[index]!, index);
        onDone?.(++done);
      }
    };
    const groups = new TaskGroups(this.#groupQueue, this.#presence.id);
    this.#groups.add(groups);
    const jobOf = (id: string, { key, queue }: Pending) => ({
      ...{ id, queue: queue.name, data: { kind, key, run: this.#presence.id } },
    });
    const put = async (id: string, job: Pending, packed: PackedTask) => {
      await putTask(store, packed);
      if (!hasEnded) await groups.add(jobOf(id, job), sizeOf(packed));
    };
    const putAgain = async (id: string, job: Pending) => {
      await putTask(store, await this.#packer.pack(kind, tasks[job.indices[0]!]!));
      if (pending.has(id) && !hasEnded) await groups.putAgain(jobOf(id, job));
    };
    /** Takes the result of a job; puts it again where there is no result. */
    const settle = async (id: string, failure?: string) => {
      const job = pending.get(id);
      if (job === undefined || hasEnded) return;
      if (failure !== undefined) {
        await inTime(job.queue.remove(id));
        throw taskError(kind, tasks[job.indices[0]!]!, failure);
      }
      const result = await resultOf(job.key, job.indices);
      if (hasEnded || !pending.has(id)) return;
      if (result === undefined) {
        if (++job.losses > MOST_LOSSES) throw lostError(this.#options.link.address);
        // Workers leave tasks alone whose run they do not know, and a server may have forgotten it.
        await this.#presence.announce();
        return await putAgain(id, job);
      }
      pending.delete(id);
      groups.done(id);
      this.#endings.delete(id);
      give(job.indices, result);
      if (pending.size === 0 && isAllPut) end.resolve();
    };
    let looks = 0;
    const delayed = new Map<string, number>();
    /** Looks after jobs whose end was not heard of: the server may have lost them. */
    const check = async () => {
      await this.#presence.announce();
      await this.#watch.look(largestNeed(pending));
      const { link } = this.#options;
      for (const queue of [...this.#queues.values(), this.#groupQueue.queue]) {
        await shortenLocks(link, queue, LOCK);
      }
      await this.#promoteOverdue(pending, delayed);
      for (const id of await groups.left(++looks % LOOKS_AT_GROUPS === 0)) {
        const queue = pending.get(id)?.queue;
        const state = await queue?.getJobState(id);
        if (state === "failed") await settle(id, (await queue?.getJob(id))?.failedReason ?? "");
        else if (state === "unknown" || state === "completed") await settle(id);
      }
    };
    signal?.throwIfAborted();
    signal?.addEventListener("abort", stop, { once: true });
    let isChecking = false;
    const timer = setInterval(() => {
      if (isChecking) return;
      isChecking = true;
      check().catch(fail).finally(() => isChecking = false);
    }, BETWEEN_CHECKS);
    try {
      this.#packer.forget();
      const sizes = tasks.map(taskSizes[kind]);
      const order = [...tasks.keys()].sort((a, b) => sizes[b]! - sizes[a]! || a - b);
      for (const index of order) {
        if (hasEnded) break;
        const packed = await this.#packer.pack(kind, tasks[index]!);
        noted[index] = { key: packed.key, blobs: [], madeOf: [...packed.blobs.keys()] };
        const id = `${kind}-${packed.key}-${this.#presence.id}`;
        const same = pending.get(id);
        if (same !== undefined) {
          same.indices.push(index);
          continue;
        }
        const known = await resultOf(packed.key, [index]);
        if (known !== undefined) {
          give([index], known);
          continue;
        }
        const need = memoryNeed(kind, tasks[index]!, packed);
        const queue = await this.#queueFor(memoryClass(need));
        const job = { indices: [index], key: packed.key, queue, need, losses: 0 };
        pending.set(id, job);
        this.#endings.set(id, (failure) => settle(id, failure).catch(fail));
        await put(id, job, packed);
      }
      if (!hasEnded) await groups.flush();
      isAllPut = true;
      if (pending.size > 0 || hasEnded) await end.promise;
      return results;
    } catch (error) {
      throw writeError(this.#options.link.address, error);
    } finally {
      hasEnded = true;
      clearInterval(timer);
      if (this.#closing === undefined) await inTime(groups.withdraw());
      this.#groups.delete(groups);
      signal?.removeEventListener("abort", stop);
      for (const id of pending.keys()) this.#endings.delete(id);
      this.#packer.forget();
    }
  }

  /** Takes the run's jobs out of the queues; those that a worker has are let be. */
  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  async #close(): Promise<void> {
    const groups = [...this.#groups].map((groups) => groups.withdraw());
    await Promise.allSettled([...groups, this.#presence.end(), this.#arrays.end()]);
    const { flow, queue } = this.#groupQueue;
    const open = [flow, queue, ...this.#events, ...this.#queues.values()];
    await Promise.allSettled(open.map((one) => one.close()));
  }

  /**
   * Makes jobs due that have been delayed for long. Workers say by their own clocks how long one is
   * delayed: one of a clock that is wrong, or is set, would wait for as long.
   */
  async #promoteOverdue(pending: ReadonlyMap<string, Pending>, delayed: Map<string, number>) {
    const found = new Set<string>();
    for (const queue of new Set([...pending.values()].map(({ queue }) => queue))) {
      for (const job of await queue.getDelayed()) {
        if (job.id === undefined || !pending.has(job.id)) continue;
        found.add(job.id);
        const seen = (delayed.get(job.id) ?? 0) + 1;
        delayed.set(job.id, seen);
        // It may have become due just now.
        if (seen > MOST_DELAYED) await job.promote().catch(() => {});
      }
    }
    for (const id of [...delayed.keys()]) if (!found.has(id)) delayed.delete(id);
  }

  async #queueFor(room: number): Promise<Queue<CodingJob>> {
    const { link, shared } = this.#options;
    const name = queueName(shared.label, room);
    const known = this.#queues.get(name);
    if (known !== undefined) return known;
    const { Queue, QueueEvents } = await loadBullmq();
    const connection = { connection: link.client, prefix: KEY_PREFIX };
    const queue = new Queue<CodingJob>(name, connection);
    const events = new QueueEvents(name, connection);
    // Lost connections are told of by the link, and come back by themselves.
    queue.on("error", () => {});
    events.on("error", () => {});
    events.on("completed", ({ jobId }) => this.#endings.get(jobId)?.());
    events.on("failed", ({ jobId, failedReason }) => this.#endings.get(jobId)?.(failedReason));
    this.#queues.set(name, queue);
    this.#events.push(events);
    await events.waitUntilReady();
    return queue;
  }
}

/** Waits for what may hang where the server does not answer; it then keeps jobs until they are old. */
async function inTime(leaving: Promise<unknown>, longest = LONGEST_LEAVING): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>((resolve) => timer = setTimeout(resolve, longest));
  await Promise.race([leaving, late]).finally(() => clearTimeout(timer));
}

function sizeOf({ bytes, blobs }: PackedTask): number {
  return [...blobs.values()].reduce((sum, { length }) => sum + length, bytes.length);
}

function largestNeed(pending: ReadonlyMap<string, Pending>): number {
  return [...pending.values()].reduce((most, { need }) => Math.max(most, need), 0);
}

function lostError(address: string): InputError {
  return new InputError(
    `${address}: results get lost again and again; see that it has memory, or name a folder that all ` +
      "machines see, or an address, with --store",
  );
}

function taskError<Kind extends TaskKind>(
  kind: Kind,
  task: TaskArguments[Kind],
  failure: string,
): InputError {
  const name = "matrix" in task && "name" in task.matrix ? ` of ${quote(task.matrix.name)}` : "";
  return new InputError(
    `${kind}${name} failed on the workers, ${TRIES.attempts} times at most: ` +
      `${hideCredentials(failure)}; see what the workers print`,
  );
}
