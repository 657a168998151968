import assert from "node:assert";
import { DelayedError, Queue, Worker } from "bullmq";
import { runTasksHere } from "../hierarchy/workers/task_runner.ts";
import { MEMORY_CLASSES, queueName } from "./coding_queue.ts";
import { participants, takePart } from "./presence.ts";
import { connectRedis, KEY_PREFIX } from "./redis_link.ts";
import { needsRedis, RedisServer } from "./testdata/redis_server.ts";
import { cannotSetClocks, SetClock } from "./testdata/set_clock.ts";
import { someTasks, startWorker, until, withRun } from "./testdata/sides.ts";

const HOUR = 3600;
const SET = { ignore: needsRedis.ignore || cannotSetClocks };

Deno.test("the machine's clock is set back and ahead while tasks run", needsRedis, async () => {
  await using server = new RedisServer();
  await server.start();
  const tasks = someTasks(24, 100, 64);
  const expected = await runTasksHere("quantize", tasks);
  await using helper = await startWorker(server.address);
  const { now } = Date;
  let set = 0;
  Date.now = () => now() + 1000 * set;
  try {
    await withRun(server.address, async ({ tasks: { run } }) => {
      const results = run("quantize", tasks);
      await until(() => helper.done() >= 3);
      set = -2 * HOUR;
      await until(() => helper.done() >= 8);
      set = 2 * HOUR;
      assert.deepEqual(await results, expected);
    });
  } finally {
    Date.now = now;
  }
});

Deno.test("the server's clock is set ahead and back while tasks run", SET, async () => {
  using clock = new SetClock();
  await using server = new RedisServer();
  server.environment = clock.environment;
  await server.start();
  const link = await connectRedis(server.address);
  const serverTime = async () => Number((await link.client.time())[0]);
  const before = await serverTime();
  const tasks = someTasks(24, 100, 64);
  const expected = await runTasksHere("quantize", tasks);
  await using helper = await startWorker(server.address);
  await withRun(server.address, async ({ tasks: { run } }) => {
    const results = run("quantize", tasks);
    await until(() => helper.done() >= 3);
    // All that is kept for an hour is gone, and nobody was seen for long.
    clock.set(2 * HOUR);
    await until(async () => await serverTime() > before + HOUR);
    await until(() => helper.done() >= 8);
    clock.set(-2 * HOUR);
    await until(async () => await serverTime() < before);
    assert.deepEqual(await results, expected);
  });
  link.close();
});

Deno.test("who was seen before the server's clock was set back is gone", SET, async () => {
  using clock = new SetClock();
  await using server = new RedisServer();
  server.environment = clock.environment;
  await server.start();
  const link = await connectRedis(server.address);
  const what = { store: "redis", threads: 1, memory: 2 ** 30 };
  const killed = JSON.stringify({
    ...what,
    version: 1,
    seen: 1000 * Math.floor(Date.now() / 1000),
  });
  await link.client.hset(`${KEY_PREFIX}:workers`, crypto.randomUUID(), killed);
  const living = await takePart(link, "worker", what);
  assert.equal((await participants(link, "worker")).length, 2);
  clock.set(-2 * HOUR);
  await until(async () => Number((await link.client.time())[0]) < Date.now() / 1000 - HOUR);
  await living.announce();
  assert.deepEqual((await participants(link, "worker")).map(({ id }) => id), [living.id]);
  await living.end();
  link.close();
});

Deno.test(
  "a lock that outlasts its worker, since the clock was set back, is shortened",
  needsRedis,
  async () => {
    await using server = new RedisServer();
    await server.start();
    const tasks = someTasks(1);
    const link = await connectRedis(server.address);
    const connection = { connection: link.client, prefix: KEY_PREFIX };
    const name = queueName("redis", MEMORY_CLASSES[0]!);
    const isTaken = Promise.withResolvers<void>();
    const killed = new Worker(name, () => {
      isTaken.resolve();
      return new Promise(() => {});
    }, connection);
    killed.on("error", () => {});
    const queue = new Queue(name, connection);
    await withRun(server.address, async ({ tasks: { run } }) => {
      const results = run("quantize", tasks);
      await isTaken.promise;
      await killed.close(true);
      const [id] = await link.client.lrange(queue.toKey("active"), 0, -1);
      const lock = `${queue.toKey(id!)}:lock`, check = queue.toKey("stalled-check");
      for (const key of [lock, check]) await link.client.set(key, "1", "PX", 4 * 1000 * HOUR);
      await using helper = await startWorker(server.address);
      assert.deepEqual(await results, await runTasksHere("quantize", tasks));
      assert.equal(helper.done(), 1);
    });
    await queue.close();
    link.close();
  },
);

Deno.test("a task that a wrong clock delays by hours is taken soon", needsRedis, async () => {
  await using server = new RedisServer();
  await server.start();
  const tasks = someTasks(1);
  const link = await connectRedis(server.address);
  const connection = { connection: link.client, prefix: KEY_PREFIX };
  const name = queueName("redis", MEMORY_CLASSES[0]!);
  // What a worker without room does, but its clock is two hours ahead.
  const ahead = new Worker(name, async (job, token) => {
    await job.moveToDelayed(Date.now() + 2 * 1000 * HOUR, token);
    throw new DelayedError();
  }, connection);
  ahead.on("error", () => {});
  const queue = new Queue(name, connection);
  await withRun(server.address, async ({ tasks: { run } }) => {
    const results = run("quantize", tasks);
    await until(async () => await queue.getDelayedCount() === 1);
    await ahead.close();
    await using helper = await startWorker(server.address);
    assert.deepEqual(await results, await runTasksHere("quantize", tasks));
    assert.equal(helper.done(), 1);
  });
  await queue.close();
  link.close();
});
