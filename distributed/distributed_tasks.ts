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
  intoGiven,
  type PackedTask,
  putTask,
  TaskPacker,
} from "../hierarchy/workers/stored_tasks.ts";
import type { RunOptions, RunTasks } from "../hierarchy/workers/task_runner.ts";
import { type CodingJob, memoryClass, memoryNeed, queueName, TRIES } from "./coding_queue.ts";
import { type Presence, takePart } from "./presence.ts";
import { KEY_PREFIX, type RedisLink } from "./redis_link.ts";
import type { SharedStore } from "./shared_store.ts";
import { WorkerWatch } from "./worker_watch.ts";
import { loadBullmq } from "./load_bullmq.ts";

/** How often it is looked whether jobs are still there, in milliseconds. */
const BETWEEN_CHECKS = 3000;
/** How often a job may end without a result: once for each time that the server is started empty. */
const MOST_LOSSES = 20;

/** Where tasks are put, and who hears of it. */
export interface DistributedOptions {
  /** The server that has the queues. */
  readonly link: RedisLink;
  /** The store that the workers see too. */
  readonly shared: SharedStore;
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
  #hasClosed = false;

  private constructor(options: DistributedOptions, presence: Presence) {
    this.#options = options;
    this.#presence = presence;
    this.#watch = new WorkerWatch(options);
  }

  /** Makes the run known to workers. */
  static async open(options: DistributedOptions): Promise<DistributedTasks> {
    const what = { store: options.shared.label, threads: 0, memory: 0 };
    const tasks = new DistributedTasks(options, await takePart(options.link, "run", what));
    await tasks.#watch.look();
    return tasks;
  }

  /** Runs tasks of a kind on the workers, the largest first. */
  readonly run: RunTasks = async <Kind extends TaskKind>(
    kind: Kind,
    tasks: readonly TaskArguments[Kind][],
    { onDone, onResult, signal }: RunOptions<Kind> = {},
  ) => {
    const { store } = this.#options.shared;
    const results = new Array<TaskResults[Kind]>(tasks.length);
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
    const put = async (id: string, job: Pending, packed?: PackedTask) => {
      await putTask(store, packed ?? await this.#packer.pack(kind, tasks[job.indices[0]!]!));
      const data = { kind, key: job.key, run: this.#presence.id };
      if (pending.has(id) && !hasEnded) await job.queue.add(kind, data, jobOptions(id));
    };
    /** Takes the result of a job; puts it again where there is no result. */
    const settle = async (id: string, failure?: string) => {
      const job = pending.get(id);
      if (job === undefined || hasEnded) return;
      if (failure !== undefined) throw taskError(kind, tasks[job.indices[0]!]!, failure);
      const result = await getResult(store, kind, job.key);
      if (hasEnded || !pending.has(id)) return;
      if (result === undefined) {
        if (++job.losses > MOST_LOSSES) throw lostError(this.#options.link.address);
        // Workers leave tasks alone whose run they do not know, and a server may have forgotten it.
        await this.#presence.announce();
        return await put(id, job);
      }
      pending.delete(id);
      this.#endings.delete(id);
      give(job.indices, result);
      if (pending.size === 0 && isAllPut) end.resolve();
    };
    /** Looks after jobs whose end was not heard of: the server may have lost them. */
    const check = async () => {
      await this.#presence.announce();
      await this.#watch.look(Math.max(0, ...[...pending.values()].map(({ need }) => need)));
      for (const [id, { queue }] of [...pending]) {
        const state = await queue.getJobState(id);
        if (state === "failed") await settle(id, (await queue.getJob(id))?.failedReason ?? "");
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
        const id = `${kind}-${packed.key}-${this.#presence.id}`;
        const same = pending.get(id);
        if (same !== undefined) {
          same.indices.push(index);
          continue;
        }
        const known = await getResult(store, kind, packed.key);
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
      isAllPut = true;
      if (pending.size > 0 || hasEnded) await end.promise;
      return results;
    } catch (error) {
      hasEnded = true;
      await this.#withdraw(pending);
      throw error;
    } finally {
      clearInterval(timer);
      signal?.removeEventListener("abort", stop);
      for (const id of pending.keys()) this.#endings.delete(id);
      this.#packer.forget();
    }
  };

  /** Takes the run's jobs out of the queues; those that a worker has are let be. */
  async close(): Promise<void> {
    if (this.#hasClosed) return;
    this.#hasClosed = true;
    const closing = [...this.#endings.keys()].map((id) =>
      Promise.all([...this.#queues.values()].map((queue) => queue.remove(id)))
    );
    await Promise.allSettled([...closing, this.#presence.end()]);
    const open = [...this.#events, ...this.#queues.values()];
    await Promise.allSettled(open.map((one) => one.close()));
  }

  /** Removes jobs that no worker has; after a second the server may keep them until they are old. */
  async #withdraw(pending: ReadonlyMap<string, Pending>): Promise<void> {
    if (this.#hasClosed) return;
    const removals = [...pending].map(([id, { queue }]) => queue.remove(id).catch(() => {}));
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise((resolve) => timer = setTimeout(resolve, 1000));
    await Promise.race([Promise.all(removals), late]);
    clearTimeout(timer);
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

function jobOptions(jobId: string) {
  return {
    ...TRIES,
    jobId,
    removeOnComplete: true,
    // Until the run has read why; of a run that is gone, a day.
    removeOnFail: { age: 86_400, count: 1000 },
  };
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
