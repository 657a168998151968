import type { FlowJob, FlowProducer, Queue } from "bullmq";
import { type CodingJob, type GroupJob, groupQueueName, jobOptions } from "./coding_queue.ts";
import { loadBullmq } from "./load_bullmq.ts";
import { KEY_PREFIX, type RedisLink } from "./redis_link.ts";

/** A job that is to be put, and the bytes that were sent for it. */
export interface GroupedJob {
  /** Name of the job. */
  readonly id: string;
  /** Name of its queue. */
  readonly queue: string;
  /** What it says. */
  readonly data: CodingJob;
}

/** Groups are no larger: a worker can begin when the first is there. */
const MOST_JOBS = 16;
const MOST_BYTES = 2 ** 24;

/** Where groups are put. */
export interface GroupQueue {
  /** Puts a group with its jobs, all or none. */
  readonly flow: FlowProducer;
  /** The queue of the groups themselves. */
  readonly queue: Queue<GroupJob>;
}

/** Opens the queue of groups of a store. */
export async function openGroupQueue(link: RedisLink, label: string): Promise<GroupQueue> {
  const { FlowProducer, Queue } = await loadBullmq();
  const connection = { connection: link.client, prefix: KEY_PREFIX };
  const flow = new FlowProducer(connection);
  const queue = new Queue<GroupJob>(groupQueueName(label), connection);
  // Lost connections are told of by the link, and come back by themselves.
  flow.on("error", () => {});
  queue.on("error", () => {});
  return { flow, queue };
}

/**
 * Puts jobs in groups: BullMQ's flows, whose parent is a job that a worker ends when all of the group
 * have ended. So jobs get there together or not at all, a run asks for groups instead of jobs how they
 * are, and takes what is left of a group out of the queues at once.
 */
export class TaskGroups {
  readonly #to: GroupQueue;
  readonly #run: string;
  /** Jobs of each group that the run still waits for. */
  readonly #waited = new Map<string, Set<string>>();
  /** Groups that are not known to be there yet. */
  readonly #putting = new Map<string, Promise<unknown>>();
  readonly #groupOf = new Map<string, string>();
  #leaving: Promise<void> | undefined;
  #next: GroupedJob[] = [];
  #bytes = 0;
  #count = 0;

  /** Groups of a run's tasks. */
  constructor(to: GroupQueue, run: string) {
    this.#to = to;
    this.#run = run;
  }

  /** Puts a job with the next group, for which so many bytes were sent. */
  async add(job: GroupedJob, bytes: number): Promise<void> {
    this.#next.push(job);
    this.#bytes += bytes;
    if (this.#next.length >= MOST_JOBS || this.#bytes >= MOST_BYTES) await this.flush();
  }

  /** Puts what was added and is not there yet. */
  async flush(): Promise<void> {
    const jobs = this.#next;
    this.#next = [];
    this.#bytes = 0;
    if (jobs.length > 0) await this.#put(`group-${this.#run}-${++this.#count}`, jobs);
  }

  /** Puts a job that was lost again. */
  async putAgain(job: GroupedJob): Promise<void> {
    this.done(job.id);
    // The same group, if it is put by two at once: its job is then there once.
    await this.#put(`group-${job.id}`, [job]);
  }

  /** The job has ended, and nothing more is to be known of it. */
  done(id: string): void {
    const group = this.#groupOf.get(id);
    if (group !== undefined) this.#waited.get(group)?.delete(id);
    this.#groupOf.delete(id);
  }

  /** Jobs that are waited for although their group has ended or is gone; `all`, whatever it is. */
  async left(all: boolean): Promise<string[]> {
    const found: string[] = [];
    for (const [group, ids] of [...this.#waited]) {
      if (ids.size === 0 || this.#putting.has(group)) continue;
      if (all) {
        found.push(...ids);
        continue;
      }
      const state = await this.#to.queue.getJobState(group);
      if (state === "unknown" || state === "completed" || state === "failed") found.push(...ids);
    }
    return found;
  }

  /** Takes all groups out of the queues, with those of their jobs that no worker has. */
  withdraw(): Promise<void> {
    return this.#leaving ??= this.#withdraw();
  }

  async #withdraw(): Promise<void> {
    // What is on its way would get there after it was taken out.
    await Promise.allSettled(this.#putting.values());
    await Promise.allSettled([...this.#waited].map(async ([group, ids]) => {
      if (ids.size > 0) await (await this.#to.queue.getJob(group))?.removeUnprocessedChildren();
      await this.#to.queue.remove(group, { removeChildren: false });
    }));
  }

  async #put(group: string, jobs: readonly GroupedJob[]): Promise<void> {
    if (this.#leaving !== undefined) return;
    const known = this.#waited.get(group) ?? new Set();
    this.#waited.set(group, known);
    for (const { id } of jobs) {
      known.add(id);
      this.#groupOf.set(id, group);
    }
    const results = jobs.map(({ data }) => `${data.kind}-${data.key}`);
    const children = jobs.map(({ id, queue, data }): FlowJob => ({
      name: data.kind,
      queueName: queue,
      data,
      opts: { ...jobOptions(id), failParentOnFailure: true },
    }));
    const { queue, flow } = this.#to;
    const putting = flow.add({
      name: "group",
      queueName: queue.name,
      data: { run: this.#run, results } satisfies GroupJob,
      opts: { ...jobOptions(group), attempts: 1 },
      children,
    });
    this.#putting.set(group, putting);
    await putting.finally(() => this.#putting.delete(group));
  }
}
