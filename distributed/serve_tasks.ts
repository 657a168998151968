import type { Job, Worker } from "bullmq";
import { hideCredentials } from "../data/shown_url.ts";
import { InputError } from "../data/input_error.ts";
import { isOutOfMemory, MEMORY_ADVICE, OutOfMemoryError } from "../data/out_of_memory.ts";
import { CODING_VERSION, type TaskKind } from "../hierarchy/workers/coding_tasks.ts";
import { CodingWorkers, runnerOf } from "../hierarchy/workers/coding_workers.ts";
import { getResult, getTask, putResult } from "../hierarchy/workers/packed_tasks.ts";
import {
  type CodingJob,
  type GroupJob,
  groupQueueName,
  LOCK,
  MEMORY_CLASSES,
  parseCodingJob,
  parseGroupJob,
  queueName,
} from "./coding_queue.ts";
import { participants, takePart } from "./presence.ts";
import { KEY_PREFIX, type RedisLink } from "./redis_link.ts";
import { TaskGate } from "./task_gate.ts";
import type { SharedStore } from "./shared_store.ts";
import { loadBullmq } from "./load_bullmq.ts";

/** What a worker gives, and who hears of it. */
export interface ServeOptions {
  /** The server that has the queues. */
  readonly link: RedisLink;
  /** The store that the runs see too. */
  readonly shared: SharedStore;
  /** Tasks that run at once, at least 1. */
  readonly threads: number;
  /** Bytes of memory that tasks may need, all together. */
  readonly memory: number;
  /** Most tasks that begin in a minute; any number if omitted. */
  readonly tasksPerMinute?: number | undefined;
  /** Told in a line what the user should know. */
  readonly onMessage?: (line: string) => void;
  /** Called after each task that was done. */
  readonly onTask?: (kind: TaskKind, seconds: number) => void;
}

/** A worker at work. */
export interface TaskServer {
  /** Rejects with {@linkcode InputError} where memory runs out in the smallest tasks. */
  readonly failed: Promise<never>;
  /** Gives tasks back that are not done, and ends; others take them at once. */
  close(): Promise<void>;
}

const BETWEEN_LOOKS = 5000;
/** After an error of the connection, tasks are asked for again in so many milliseconds. */
const AFTER_ERROR = 1000;
/** How often a task may take its worker down: then it is the task's fault. */
const MOST_DEATHS = 3;
/** What is said of jobs whose run is gone. */
const SKIPPED = { skipped: "its run is gone" } as const;
/** What is said of groups without a result: their run has taken it, or puts its task again. */
const TAKEN = { skipped: "a result is gone" } as const;
/** What is said of jobs whose task the store has lost: their run puts it there again. */
const LOST = { skipped: "its task is gone" } as const;
/** A worker that has no room now gives a task back for so many milliseconds. */
const WAIT_FOR_ROOM = 200;

/**
 * Takes coding tasks from the queues of a store, as far as threads and memory go, until it is closed.
 * Throws {@linkcode InputError} if the memory is too little for any task.
 */
export async function serveTasks(options: ServeOptions): Promise<TaskServer> {
  const { link, shared, threads, memory, onMessage } = options;
  const rooms = MEMORY_CLASSES.filter((room) => room <= memory);
  if (rooms.length === 0) {
    const least = MEMORY_CLASSES[0]! / 2 ** 20;
    throw new InputError(`no task has room: give the worker at least --memory ${least}MiB`);
  }
  const bull = await loadBullmq();
  const stop = new AbortController();
  const gate = new TaskGate(memory, options.tasksPerMinute);
  // Pools of one thread each: a task that is stopped takes no other with it.
  const idle = Array.from({ length: threads }, () => new CodingWorkers(1, true));
  const all = [...idle];
  const presence = await takePart(link, "worker", { store: shared.label, threads, memory });
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => {});

  const work = async (job: Job<CodingJob>, token: string | undefined, room: number) => {
    const { kind, key, run } = checked(parseCodingJob, job, bull);
    if (!await isThere(link, run)) return SKIPPED;
    if (idle.length === 0 || !gate.take(room)) {
      await job.moveToDelayed(Date.now() + WAIT_FOR_ROOM, token);
      throw new bull.DelayedError();
    }
    const workers = idle.pop()!;
    const begin = performance.now();
    try {
      if (await getResult(shared.store, kind, key) === undefined) {
        if (!await compute(workers, kind, key)) return LOST;
      }
      options.onTask?.(kind, (performance.now() - begin) / 1000);
      return { seconds: (performance.now() - begin) / 1000 };
    } catch (error) {
      if (stop.signal.aborted) {
        await job.moveToWait(token);
        throw new bull.WaitingError();
      }
      if (isOutOfMemory(error)) {
        await takeLess(room);
        await job.moveToWait(token);
        throw new bull.WaitingError();
      }
      const reason = hideCredentials(error instanceof Error ? error.message : String(error));
      onMessage?.(`${kind} ${key.slice(0, 8)} failed: ${reason}`);
      throw new Error(reason);
    } finally {
      idle.push(workers);
      gate.give(room);
    }
  };
  /** Does a task; false where it is not in the store any more. */
  const compute = async (workers: CodingWorkers, kind: TaskKind, key: string) => {
    const { store } = shared;
    const found = await getTask(store, key);
    if (found === undefined) return false;
    if (found.kind !== kind) throw new InputError(`task ${key.slice(0, 8)}: is of another kind`);
    const { signal } = stop;
    const [result] = await runnerOf(workers)(kind, [found.task as never], { signal });
    await putResult(store, kind, key, result!);
    return true;
  };
  /** After memory has run out in a task of a class: leaves what needs as much to others. */
  const takeLess = async (room: number) => {
    const limit = gate.lower(room);
    const most = rooms.findLast((room) => room <= limit);
    if (most === undefined) failed.reject(new OutOfMemoryError(MEMORY_ADVICE));
    else {
      onMessage?.(
        `memory has run out: tasks get ${
          limit / 2 ** 20
        } MiB from now on, and larger ones are left ` +
          "to others; close other programs, or start this worker with fewer --threads",
      );
    }
    const larger = workers.filter((_, i) => rooms[i]! > limit);
    await Promise.allSettled([
      ...larger.map((worker) => worker.pause(true)),
      presence.announce(Math.floor(limit)),
    ]);
  };
  /** Ends a group; looks whether what its tasks have given is there. */
  const endGroup = async (job: Job<GroupJob>) => {
    const { run, results } = checked(parseGroupJob, job, bull);
    if (!await isThere(link, run)) return SKIPPED;
    for (const name of results) if (!await shared.store.has(name)) return TAKEN;
    return { results: results.length };
  };
  const common = {
    connection: link.client,
    prefix: KEY_PREFIX,
    lockDuration: LOCK,
    stalledInterval: LOCK / 2,
    maxStalledCount: MOST_DEATHS,
    // Else a worker whose connection was lost waits for a quarter of a minute.
    runRetryDelay: AFTER_ERROR,
  };
  const workers: Worker[] = rooms.map((room) => {
    return new bull.Worker<CodingJob>(
      queueName(shared.label, room),
      (job, token) => work(job, token, room),
      { ...common, concurrency: Math.max(1, Math.min(threads, Math.floor(memory / room))) },
    );
  });
  workers.push(new bull.Worker<GroupJob>(groupQueueName(shared.label), endGroup, common));
  // Lost connections are told of by the link, failures of tasks above.
  for (const worker of workers) worker.on("error", () => {});
  const watch = watchRuns(link, shared, onMessage);
  return {
    failed: failed.promise,
    async close() {
      clearInterval(watch);
      stop.abort(new Error("the worker ends"));
      await Promise.allSettled([...workers.map((worker) => worker.close()), presence.end()]);
      for (const one of all) one.close();
    },
  };
}

function checked<T>(
  parse: (data: unknown) => T,
  job: Job<T>,
  bull: typeof import("bullmq"),
): T {
  try {
    return parse(job.data);
  } catch (error) {
    throw new bull.UnrecoverableError((error as Error).message);
  }
}

async function isThere(link: RedisLink, run: string): Promise<boolean> {
  return (await participants(link, "run")).some(({ id }) => id === run);
}

/** Tells of runs whose tasks this worker does not take. */
function watchRuns(
  link: RedisLink,
  { label }: SharedStore,
  onMessage?: (line: string) => void,
): ReturnType<typeof setInterval> {
  const told = new Set<string>();
  const look = async () => {
    for (const { id, version, store } of await participants(link, "run")) {
      if (told.has(id)) continue;
      told.add(id);
      if (version !== CODING_VERSION) {
        onMessage?.(
          "a run of another version of kanpress has begun: this worker takes none of its tasks; " +
            "use the same version on all machines",
        );
      } else if (store !== label) {
        onMessage?.(
          "a run with another store has begun: this worker takes none of its tasks; give both the " +
            "same --store",
        );
      }
    }
  };
  look().catch(() => {});
  return setInterval(() => look().catch(() => {}), BETWEEN_LOOKS);
}
