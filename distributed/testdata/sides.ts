import assert from "node:assert";
import { Queue } from "bullmq";
import { createRandom } from "../../kan/numeric/random.ts";
import type { QuantizeTask } from "../../hierarchy/workers/coding_tasks.ts";
import { groupQueueName, MEMORY_CLASSES, queueName } from "../coding_queue.ts";
import { DistributedTasks } from "../distributed_tasks.ts";
import { connectRedis, KEY_PREFIX } from "../redis_link.ts";
import { serveTasks } from "../serve_tasks.ts";
import { openSharedStore } from "../shared_store.ts";

/** Tasks with matrices of several sizes, two of which are the same. */
export function someTasks(count = 6, size = 60, states = 4): QuantizeTask[] {
  const random = createRandom(7);
  const tasks = Array.from({ length: count }, (_, i): QuantizeTask => {
    const rows = size, columns = size + 3 * i;
    const data = Float32Array.from({ length: rows * columns }, () => 4 * random.normal());
    return { states, matrix: { name: `w${i}`, rows, columns, data } };
  });
  return [...tasks, tasks[0]!];
}

/** What a run of a test has. */
export interface Sides {
  readonly tasks: DistributedTasks;
  readonly store: Awaited<ReturnType<typeof openSharedStore>>["store"];
  readonly heard: string[];
}

/** The side of `compress`. */
export async function withRun(
  address: string,
  work: (side: Sides) => Promise<void>,
  place?: string,
): Promise<void> {
  const heard: string[] = [];
  const onMessage = (line: string) => heard.push(line);
  const link = await connectRedis(address, { onMessage });
  try {
    const shared = await openSharedStore(place, link);
    const tasks = await DistributedTasks.open({ link, shared, onMessage });
    try {
      await work({ tasks, store: shared.store, heard });
    } finally {
      await tasks.close();
    }
  } finally {
    link.close();
  }
}

/** A worker, which is ended when it is disposed of. */
export async function startWorker(
  address: string,
  { memory = 2 ** 30, place }: { memory?: number; place?: string } = {},
) {
  const heard: string[] = [];
  let done = 0;
  const onMessage = (line: string) => heard.push(line);
  const link = await connectRedis(address, { onMessage });
  const shared = await openSharedStore(place, link);
  const onTask = () => void done++;
  const server = await serveTasks({ link, shared, threads: 1, memory, onMessage, onTask });
  return {
    heard,
    done: () => done,
    async [Symbol.asyncDispose]() {
      await server.close();
      link.close();
    },
  };
}

/** Jobs of all queues, in any state. */
export async function jobsLeft(address: string, label = "redis"): Promise<number> {
  const link = await connectRedis(address);
  let count = 0;
  const names = MEMORY_CLASSES.map((room) => queueName(label, room));
  for (const name of [...names, groupQueueName(label)]) {
    const queue = new Queue(name, {
      connection: link.client,
      prefix: KEY_PREFIX,
    });
    count += (await queue.getJobs()).length;
    await queue.close();
  }
  link.close();
  return count;
}

/** Waits until something is so; fails after a time that no sound run takes, on a busy machine either. */
export async function until(isTrue: () => boolean | Promise<boolean>, milliseconds = 60_000) {
  const end = Date.now() + milliseconds;
  while (!await isTrue()) {
    assert.ok(Date.now() < end, `not within ${milliseconds} ms: ${isTrue}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
