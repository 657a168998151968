import assert from "node:assert";
import { Buffer } from "node:buffer";
import { Queue } from "bullmq";
import { InputError } from "../data/input_error.ts";
import { TemporaryFolder } from "../data/testdata/temporary_folder.ts";
import { CODING_VERSION } from "../hierarchy/workers/coding_tasks.ts";
import { getResult, TaskPacker } from "../hierarchy/workers/packed_tasks.ts";
import { runTasksHere } from "../hierarchy/workers/task_runner.ts";
import { MEMORY_CLASSES, queueName } from "./coding_queue.ts";
import { connectRedis, KEY_PREFIX } from "./redis_link.ts";
import { CutWay, needsRedis, RedisServer } from "./testdata/redis_server.ts";
import { jobsLeft, someTasks, startWorker, until, withRun } from "./testdata/sides.ts";

Deno.test("workers give what one machine gives, by Redis and by a folder", needsRedis, async () => {
  await using server = new RedisServer();
  await server.start();
  const tasks = someTasks();
  const expected = await runTasksHere("quantize", tasks);
  using folder = new TemporaryFolder();
  for (const place of [undefined, folder.path]) {
    await using first = await startWorker(server.address, { ...(place && { place }) });
    await using second = await startWorker(server.address, { ...(place && { place }) });
    await withRun(server.address, async ({ tasks: { run }, heard }) => {
      const done: number[] = [];
      const given = new Int8Array(tasks[0]!.matrix.rows * tasks[0]!.matrix.columns);
      const [, ...others] = tasks;
      const results = await run("quantize", [{ ...tasks[0]!, indices: given }, ...others], {
        onDone: (count) => done.push(count),
      });
      assert.deepEqual(results, expected);
      assert.equal(results[0]!.indices, given);
      assert.deepEqual(done, [1, 2, 3, 4, 5, 6, 7]);
      assert.equal(heard[0], "2 workers with 2 threads");
      // Each task once, though one was asked for twice; a second time none.
      assert.equal(first.done() + second.done(), 6);
      assert.deepEqual(await run("quantize", tasks), expected);
      assert.equal(first.done() + second.done(), 6);
    }, place);
    assert.equal(await jobsLeft(server.address), 0);
  }
});

Deno.test(
  "a task that fails on every try ends the run, and what is done stays",
  needsRedis,
  async () => {
    await using server = new RedisServer();
    await server.start();
    await using helper = await startWorker(server.address);
    const tasks = someTasks();
    const poisoned = { ...tasks[1]!, states: 5 };
    await withRun(server.address, async ({ tasks: { run }, store }) => {
      await assert.rejects(
        run("quantize", [...tasks, poisoned]),
        (error) =>
          error instanceof InputError &&
          /quantize of "w1" failed.*4 times.*not 5/.test(error.message),
      );
      const { key } = await new TaskPacker().pack("quantize", tasks[0]!);
      assert.ok(await getResult(store, "quantize", key));
      // The worker lives, and the run can go on.
      assert.equal((await run("quantize", tasks)).length, 7);
    });
    assert.equal(helper.heard.filter((line) => /failed: .*not 5/.test(line)).length, 4);
    assert.equal(await jobsLeft(server.address), 0);
  },
);

Deno.test("other versions and other stores are told of on both sides", needsRedis, async () => {
  await using server = new RedisServer();
  await server.start();
  using folder = new TemporaryFolder();
  const link = await connectRedis(server.address);
  const seen = Number((await link.client.time())[0]) * 1000;
  const other = { version: CODING_VERSION + 1, store: "redis", threads: 4, memory: 2 ** 30, seen };
  for (const role of ["worker", "run"]) {
    await link.client.hset(`${KEY_PREFIX}:${role}s`, crypto.randomUUID(), JSON.stringify(other));
    await link.client.hset(`${KEY_PREFIX}:${role}s`, "broken", "{");
  }
  await using elsewhere = await startWorker(server.address, { place: folder.path });
  await withRun(server.address, async ({ tasks: { run }, heard }) => {
    assert.match(heard[0]!, /waiting for workers: kanpress worker --redis redis:\/\/127/);
    assert.match(heard[0]!, /1 worker of another version: use the same kanpress/);
    assert.match(heard[0]!, /1 worker with another store: give all the same --store/);
    await until(() => elsewhere.heard.length === 2);
    assert.match(elsewhere.heard.join("\n"), /of another version .*takes none of its tasks/);
    assert.match(elsewhere.heard.join("\n"), /with another store .*takes none of its tasks/);
    const stop = new AbortController();
    const waiting = run("quantize", someTasks(), { signal: stop.signal });
    // Six tasks, and their group.
    await until(async () => await jobsLeft(server.address) === 7);
    assert.equal(elsewhere.done(), 0);
    stop.abort(new Error("enough"));
    await assert.rejects(waiting, /enough/);
    assert.equal(await jobsLeft(server.address), 0, "a run that is stopped takes its jobs along");
  });
  link.close();
});

Deno.test("a worker without room leaves tasks to one that has it", needsRedis, async () => {
  await using server = new RedisServer();
  await server.start();
  await assert.rejects(startWorker(server.address, { memory: 2 ** 20 }), /at least --memory 64MiB/);
  await using small = await startWorker(server.address, { memory: 2 ** 26 });
  const large = someTasks(1, 1600, 1);
  await withRun(server.address, async ({ tasks: { run }, heard }) => {
    const results = run("quantize", large);
    await until(() => heard.length > 1);
    assert.match(heard[1]!, /none has the room .*: start one with --memory \d+MiB/);
    const [, size] = /--memory (\d+)MiB/.exec(heard[1]!)!;
    await using roomy = await startWorker(server.address, { memory: 4 * Number(size) * 2 ** 20 });
    assert.deepEqual(await results, await runTasksHere("quantize", large));
    assert.deepEqual([small.done(), roomy.done()], [0, 1]);
  });
});

Deno.test(
  "connections that are cut and a server that is started empty lose nothing",
  needsRedis,
  async () => {
    await using server = new RedisServer();
    await server.start();
    using way = new CutWay(server.port);
    const tasks = someTasks(40, 100, 64);
    const expected = await runTasksHere("quantize", tasks);
    await using helper = await startWorker(way.address);
    await withRun(way.address, async ({ tasks: { run }, heard }) => {
      const results = run("quantize", tasks);
      await until(() => helper.done() >= 3);
      way.cut();
      await until(() => helper.done() >= 8);
      await server.stop();
      await until(() => heard.some((line) => /connection was lost/.test(line)));
      await server.start();
      assert.deepEqual(await results, expected);
      assert.ok(heard.some((line) => /connection is there again/.test(line)));
    });
  },
);

Deno.test("jobs of others are refused, and the worker goes on", needsRedis, async () => {
  await using server = new RedisServer();
  await server.start();
  await using helper = await startWorker(server.address);
  const link = await connectRedis(server.address);
  const queue = new Queue(queueName("redis", MEMORY_CLASSES[0]!), {
    connection: link.client,
    prefix: KEY_PREFIX,
  });
  const run = crypto.randomUUID();
  const bad = [
    {},
    { kind: "quantize", key: "../../etc/passwd", run },
    { kind: "toString", key: "0".repeat(64), run },
    { kind: "encode", key: "0".repeat(64), run: Buffer.alloc(1e5).toString() },
  ];
  for (const data of bad) await queue.add("quantize", data, { attempts: 4 });
  await until(async () => await queue.getFailedCount() === bad.length);
  for (const { failedReason, attemptsMade } of await queue.getFailed()) {
    assert.equal(failedReason, "the job is none of kanpress");
    assert.equal(attemptsMade, 1, "it is not tried again");
  }
  // That of a run which is gone is dropped.
  await queue.add("quantize", { kind: "quantize", key: "0".repeat(64), run });
  await until(async () => await queue.getCompletedCount() === 1);
  assert.equal(helper.done(), 0);
  await queue.obliterate({ force: true });
  await queue.close();
  await withRun(server.address, async ({ tasks: { run } }) => {
    assert.equal((await run("quantize", someTasks(1))).length, 2);
  });
  link.close();
});
