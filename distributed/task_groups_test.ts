import assert from "node:assert";
import { Worker } from "bullmq";
import { runTasksHere } from "../hierarchy/workers/task_runner.ts";
import { MEMORY_CLASSES, queueName } from "./coding_queue.ts";
import { connectRedis, KEY_PREFIX } from "./redis_link.ts";
import { openGroupQueue } from "./task_groups.ts";
import { needsRedis, RedisServer } from "./testdata/redis_server.ts";
import { jobsLeft, someTasks, startWorker, until, withRun } from "./testdata/sides.ts";

Deno.test("jobs are children of a group, which workers end after them", needsRedis, async () => {
  await using server = new RedisServer();
  await server.start();
  const tasks = someTasks(20, 30);
  const link = await connectRedis(server.address);
  const { queue, flow } = await openGroupQueue(link, "redis");
  const stop = new AbortController();
  await withRun(server.address, async ({ tasks: { run } }) => {
    const waiting = run("quantize", tasks, { signal: stop.signal });
    await until(async () => await queue.getWaitingChildrenCount() === 2);
    const groups = await queue.getWaitingChildren();
    const sizes = await Promise.all(groups.map(async (group) => {
      const { unprocessed } = await group.getDependenciesCount({ unprocessed: true });
      assert.equal(group.data.results.length, unprocessed);
      return unprocessed;
    }));
    // 20 different tasks, the largest first.
    assert.deepEqual(sizes.sort(), [16, 4]);
    stop.abort(new Error("enough"));
    await assert.rejects(waiting, /enough/);
    assert.equal(await jobsLeft(server.address), 0, "a group goes with its jobs");
    const results = run("quantize", tasks);
    await until(async () => await queue.getWaitingChildrenCount() === 2);
    await using helper = await startWorker(server.address);
    assert.deepEqual(await results, await runTasksHere("quantize", tasks));
    assert.equal(helper.done(), 20);
  });
  assert.equal(await jobsLeft(server.address), 0);
  await Promise.all([queue.close(), flow.close()]);
  link.close();
});

Deno.test("tasks whose jobs end without a result are put again", needsRedis, async () => {
  await using server = new RedisServer();
  await server.start();
  const tasks = someTasks(5, 30);
  const link = await connectRedis(server.address);
  let idle = 0;
  const idler = new Worker(
    queueName("redis", MEMORY_CLASSES[0]!),
    () => Promise.resolve(idle++),
    { connection: link.client, prefix: KEY_PREFIX },
  );
  await withRun(server.address, async ({ tasks: { run } }) => {
    const results = run("quantize", tasks);
    await until(() => idle >= 7);
    await idler.close();
    await using _helper = await startWorker(server.address);
    assert.deepEqual(await results, await runTasksHere("quantize", tasks));
  });
  assert.equal(await jobsLeft(server.address), 0);
  link.close();
});
