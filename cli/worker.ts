import { connectRedis, environmentOptions } from "../distributed/redis_link.ts";
import { serveTasks } from "../distributed/serve_tasks.ts";
import { openSharedStore } from "../distributed/shared_store.ts";
import { availableMemory } from "./input/available_memory.ts";
import type { Run } from "./terminal/run.ts";

/** Options of `worker`. */
export interface WorkerOptions {
  /** Address of the Redis server. */
  readonly redis: string;
  /** Folder or address where machines keep what they send each other; in Redis if omitted. */
  readonly store?: string;
  /** Tasks at once; as many as there are cores if omitted. */
  readonly threads?: number;
  /** Bytes of memory for tasks; most of what is free if omitted. */
  readonly memory?: number;
  /** Most tasks that begin in a minute. */
  readonly tasksPerMinute?: number;
}

/** Of the free memory, if it is not said how much to take. */
const SHARE_OF_MEMORY = 0.8;
/** Where the system does not say how much is free, in bytes. */
const UNKNOWN_MEMORY = 2 ** 31;
/** How often it is said how much was done, in milliseconds. */
const BETWEEN_LINES = 10_000;

/** `worker`: runs coding tasks of other processes until Ctrl-C. */
export async function worker(options: WorkerOptions, run: Run): Promise<void> {
  const { environment, signal } = run;
  const { threads = navigator.hardwareConcurrency } = options;
  const memory = options.memory ?? SHARE_OF_MEMORY * (availableMemory() ?? UNKNOWN_MEMORY);
  const onMessage = (line: string) => run.writeLine(line);
  const link = await connectRedis(options.redis, { ...environmentOptions(environment), onMessage });
  try {
    const shared = await openSharedStore(options.store, link, environment.KANPRESS_STORE_TOKEN);
    let tasks = 0, seconds = 0, told = 0;
    const server = await serveTasks({
      ...{ link, shared, threads, memory: Math.floor(memory), onMessage },
      tasksPerMinute: options.tasksPerMinute,
      onTask(_, spent) {
        tasks++;
        seconds += spent;
      },
    });
    const done = () => `${tasks} ${tasks === 1 ? "task" : "tasks"} done in ${seconds.toFixed(1)} s`;
    const timer = setInterval(() => {
      if (tasks > told) onMessage(done());
      told = tasks;
    }, BETWEEN_LINES);
    run.expectInterrupt();
    run.beforeInterrupt(async () => {
      clearInterval(timer);
      await server.close();
      onMessage(done());
    });
    const gibibytes = (memory / 2 ** 30).toFixed(1);
    const { tasksPerMinute } = options;
    const rate = tasksPerMinute === undefined ? "" : `, ${tasksPerMinute} a minute`;
    onMessage(
      `waiting for tasks of ${link.address}: ${threads} at once${rate}, ${gibibytes} GiB; Ctrl-C ends`,
    );
    const ended = new Promise((resolve) => {
      signal.addEventListener("abort", resolve, { once: true });
    });
    try {
      await Promise.race([ended, server.failed]);
    } finally {
      clearInterval(timer);
      if (!signal.aborted) await server.close();
    }
  } finally {
    // On Ctrl-C the server closes first.
    if (!signal.aborted) link.close();
  }
}
