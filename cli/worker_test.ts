import assert from "node:assert";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { Queue } from "bullmq";
import { MEMORY_CLASSES, queueName } from "../distributed/coding_queue.ts";
import { connectRedis, KEY_PREFIX } from "../distributed/redis_link.ts";
import { needsRedis, RedisServer } from "../distributed/testdata/redis_server.ts";
import { someTasks, startWorker as startHelper, withRun } from "../distributed/testdata/sides.ts";
import { runTasksHere } from "../hierarchy/workers/task_runner.ts";
import { interruptCommandLine, runCommandLine, startCommandLine } from "./testdata/command_line.ts";
import { withWorkFolder } from "./testdata/work_folder.ts";

const PASSWORD = "very-secret-word";
const SLOW = { ignore: needsRedis.ignore || Deno.env.get("KANPRESS_SLOW") !== "1" };
const EMBEDDED = ["compress", "--data-free", "--no-evaluate", "--threads", "1", "--states", "8"];

/** A worker's process: what it has written, and how it is ended. */
function startWorker(server: RedisServer) {
  const process = startCommandLine(["worker", "--redis", server.address, "--threads", "1"], {
    task: "worker",
    env: { KANPRESS_REDIS_PASSWORD: PASSWORD },
  });
  let written = "";
  const reading = [process.stderr, process.stdout].map(async (stream) => {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) written += text;
  });
  let isGone = false;
  void process.status.then(() => isGone = true);
  return {
    pid: process.pid,
    written: () => written,
    isGone: () => isGone,
    send: (signal: Deno.Signal) => process.kill(signal),
    async end(signal: Deno.Signal) {
      process.kill(signal);
      const { code } = await process.status;
      await Promise.all(reading);
      return code;
    },
  };
}

/** How many tasks the workers of a server have at the moment. */
async function countHeld(server: RedisServer): Promise<number> {
  const link = await connectRedis(server.address, { password: PASSWORD });
  const counts = await Promise.all(MEMORY_CLASSES.map(async (room) => {
    const queue = new Queue(queueName("redis", room), {
      connection: link.client,
      prefix: KEY_PREFIX,
    });
    try {
      return await queue.getActiveCount();
    } finally {
      await queue.close();
    }
  }));
  link.close();
  return counts.reduce((sum, count) => sum + count, 0);
}

/** Kills the only worker there is while it has a task: nobody can end it, or take it, meanwhile. */
async function killAtWork(server: RedisServer, worker: ReturnType<typeof startWorker>) {
  for (let tries = 0;; tries++) {
    worker.send("SIGSTOP");
    if (await countHeld(server) > 0) break;
    assert.ok(tries < 600, "the worker takes no task");
    worker.send("SIGCONT");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await worker.end("SIGKILL");
  assert.ok(await countHeld(server) > 0);
}

async function until(isTrue: () => boolean) {
  for (let tries = 0; !isTrue(); tries++) {
    assert.ok(tries < 1200, `not within 120 s: ${isTrue}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

Deno.test(
  "a worker's process codes, with its task's permissions, and no one shows the password",
  needsRedis,
  () =>
    withWorkFolder(async (folder) => {
      await using server = new RedisServer("--requirepass", PASSWORD);
      await server.start();
      const helper = startWorker(server);
      await until(() => helper.written().includes("waiting for tasks"));
      const { host } = new URL(server.address);
      const given = ["compress", "model", "--text", "text.txt", "--data-free", "--json"];
      const spread = [...given, "--redis", `redis://:${PASSWORD}@${host}`, "--out", "spread"];
      const { code, out, error } = await runCommandLine(spread, { cwd: folder, task: "compress" });
      assert.equal(code, 0, error);
      assert.match(error, /^1 worker with 1 thread$/m);
      const alone = await runCommandLine([...given, "--out", "alone"], { cwd: folder });
      assert.equal(alone.code, 0, alone.error);
      const file = (name: string) => Deno.readFile(join(folder, name, "model.kan.safetensors"));
      assert.deepEqual(await file("spread"), await file("alone"));
      assert.equal(await helper.end("SIGINT"), 0);
      assert.match(helper.written(), /[1-9]\d* tasks done in/);
      const card = await Deno.readTextFile(join(folder, "spread", "README.md"));
      for (const text of [out, error, card, helper.written()]) assert.ok(!text.includes(PASSWORD));
    }),
);

Deno.test(
  "a worker is killed, another ends, Redis starts again: the bytes stay",
  SLOW,
  () =>
    withWorkFolder(async (folder) => {
      await using server = new RedisServer("--requirepass", PASSWORD, "--appendonly", "yes");
      await server.start();
      const killed = startWorker(server);
      await until(() => killed.written().includes("waiting for tasks"));
      const process = startCommandLine(
        [...EMBEDDED, "--redis", server.address, "--out", "spread"],
        {
          cwd: folder,
          env: { KANPRESS_REDIS_PASSWORD: PASSWORD },
        },
      );
      const result = process.output();
      await killAtWork(server, killed);
      const workers = [1, 2].map(() => startWorker(server));
      await until(() => workers.every(({ written }) => written().includes("waiting for tasks")));
      await new Promise((resolve) => setTimeout(resolve, 1000));
      await server.stop();
      await new Promise((resolve) => setTimeout(resolve, 1000));
      await server.start();
      assert.equal(await workers[0]!.end("SIGTERM"), 0);
      const { code, stderr } = await result;
      const error = new TextDecoder().decode(stderr);
      assert.equal(code, 0, error);
      assert.match(error, /^1 worker with 1 thread$/m);
      assert.match(error, /the connection was lost; it is tried again/);
      await workers[1]!.end("SIGINT");
      assert.match(workers[1]!.written(), /[1-9]\d* tasks? done in/);
      const alone = await runCommandLine([...EMBEDDED, "--out", "alone"], { cwd: folder });
      assert.equal(alone.code, 0, alone.error);
      const file = (name: string) => Deno.readFile(join(folder, name, "model.kan.safetensors"));
      assert.deepEqual(await file("spread"), await file("alone"));
    }),
);

/** Kilobytes of address space that a process has once it asks for no more. */
async function steadySize(pid: number): Promise<number> {
  for (let last = 0;;) {
    const status = await Deno.readTextFile(`/proc/${pid}/status`);
    const size = Number(/VmSize:\s+(\d+)/.exec(status)![1]);
    if (size === last) return size;
    last = size;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

/** Whether memory can be taken from processes here. */
const canTakeMemory = Deno.build.os === "linux" && existsSync("/usr/bin/prlimit");

Deno.test(
  "where memory runs out in a worker, another does its task, and no stack trace is shown",
  { ignore: needsRedis.ignore || !canTakeMemory },
  async () => {
    await using server = new RedisServer("--requirepass", PASSWORD);
    await server.start();
    const { host } = new URL(server.address);
    const address = `redis://:${PASSWORD}@${host}`;
    const poor = startWorker(server);
    await until(() => poor.written().includes("waiting for tasks"));
    await withRun(address, async ({ tasks: { run } }) => {
      // It has all that it needs for small ones, and little more.
      await run("quantize", someTasks(2));
      const kilobytes = await steadySize(poor.pid) + 60_000;
      const args = ["--pid", `${poor.pid}`, `--as=${kilobytes * 1024}`];
      assert.ok((await new Deno.Command("prlimit", { args }).output()).success);
      const large = someTasks(1, 2500, 1);
      const results = run("quantize", large);
      // Deno itself may be what has none left: it ends, in its own words or in none. What its threads
      // do not receive is found in a minute.
      await until(() => poor.isGone() || /memory has run out/.test(poor.written()));
      await using helper = await startHelper(address);
      assert.deepEqual(await results, await runTasksHere("quantize", large));
      assert.equal(helper.done(), 1);
    });
    if (!poor.isGone()) await poor.end("SIGINT");
    assert.doesNotMatch(poor.written(), /^ +at /m);
  },
);

/** Whether this system lets a user mount disks that only the user's processes see. */
function canMount(): boolean {
  if (Deno.build.os !== "linux" || !existsSync("/usr/bin/unshare")) return false;
  const args = ["-rm", "sh", "-c", "mount -t tmpfs -o size=64k tmpfs /mnt"];
  return new Deno.Command("unshare", { args, stderr: "null" }).outputSync().success;
}

Deno.test(
  "a full disk of the store ends the run with an error, and with more room it goes on",
  { ignore: needsRedis.ignore || !canMount() },
  () =>
    withWorkFolder(async (folder) => {
      await using server = new RedisServer();
      await server.start();
      await Deno.mkdir(join(folder, "small"));
      const cli = new URL("../cli.ts", import.meta.url).pathname;
      const shared = ["--redis", server.address, "--store", "small"];
      const quoted = (args: readonly string[]) => args.map((arg) => `'${arg}'`).join(" ");
      const compress = ["compress", "model", "--data-free", "--no-evaluate", "--out", "spread"];
      const script = `mount -t tmpfs -o size=60k tmpfs small
        "$@" worker --threads 1 ${quoted(shared)} & worker=$!
        "$@" ${quoted([...compress, ...shared])}; echo "first $?" >&2
        mount -o remount,size=100m small
        "$@" ${quoted([...compress, ...shared])}; echo "second $?" >&2
        kill -INT $worker; wait $worker; echo "worker $?" >&2`;
      const { stderr } = await new Deno.Command("unshare", {
        args: [
          ...["-rm", "sh", "-c", script, "sh"],
          ...[Deno.execPath(), "run", "-q", "-A", "--no-check", cli],
        ],
        cwd: folder,
        env: { NO_COLOR: "1" },
      }).output();
      const error = new TextDecoder().decode(stderr);
      assert.match(error, /^error: .*small\/[a-z0-9-]+: no space left on the disk[^]*first 1\n/m);
      assert.match(error, /second 0\n[^]*worker 0\n$/);
      const alone = await runCommandLine(["compress", "model", ...compress.slice(2, -1), "alone"], {
        cwd: folder,
      });
      assert.equal(alone.code, 0, alone.error);
      const file = (name: string) => Deno.readFile(join(folder, name, "model.kan.safetensors"));
      assert.deepEqual(await file("spread"), await file("alone"));
    }),
);

Deno.test(
  "Ctrl-C while workers are waited for takes the jobs out of the queue",
  needsRedis,
  () =>
    withWorkFolder(async (folder) => {
      await using server = new RedisServer();
      await server.start();
      const args = ["compress", "model", "--data-free", "--no-evaluate", "--redis", server.address];
      const { code, error } = await interruptCommandLine(args, folder, /compress/, "SIGINT");
      assert.equal(code, 1);
      assert.match(error, /waiting for workers: deno task worker --redis/);
      assert.match(error, /^error: interrupted; no partial output was left behind$/m);
      const { stdout } = await new Deno.Command("redis-cli", {
        args: ["-p", `${server.port}`, "--scan", "--pattern", "kanpress:coding-*quantize*"],
      }).output();
      assert.equal(new TextDecoder().decode(stdout), "");
    }),
);
