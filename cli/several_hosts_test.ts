import assert from "node:assert";
import { join } from "node:path";
import { Hosts, needsHosts } from "../distributed/testdata/hosts.ts";
import { needsRedis } from "../distributed/testdata/redis_server.ts";
import { until } from "../distributed/testdata/sides.ts";
import { runCommandLine, startCommandLine } from "./testdata/command_line.ts";
import { withWorkFolder } from "./testdata/work_folder.ts";

const PASSWORD = "very-secret-word";
const ENVIRONMENT = { KANPRESS_REDIS_PASSWORD: PASSWORD };
const SEVERAL = { ignore: needsHosts.ignore || needsRedis.ignore };
const SLOW = { ignore: SEVERAL.ignore || Deno.env.get("KANPRESS_SLOW") !== "1" };

/** Starts Redis on a host as docs/distributed.md does. */
async function startRedis(hosts: Hosts, name: string): Promise<AsyncDisposable> {
  const [program, ...args] = hosts.at(name);
  const server = ["redis-server", "--save", "", "--bind", "0.0.0.0", "--requirepass", PASSWORD];
  const process = new Deno.Command(program!, { args: [...args, ...server], stdout: "null" })
    .spawn();
  const ask = ["redis-cli", "-a", PASSWORD, "--no-auth-warning", "ping"];
  await until(async () => {
    const { stdout } = await new Deno.Command(program!, { args: [...args, ...ask] }).output();
    return new TextDecoder().decode(stdout) === "PONG\n";
  });
  return {
    async [Symbol.asyncDispose]() {
      process.kill("SIGKILL");
      await process.status;
    },
  };
}

/** Runs a command of the command line on a host; gives what it has written so far. */
function startOn(hosts: Hosts, name: string, args: readonly string[], cwd: string) {
  const through = hosts.at(name);
  const process = startCommandLine(args, { task: args[0]!, env: ENVIRONMENT, cwd, through });
  let written = "";
  const reading = [process.stderr, process.stdout].map(async (stream) => {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) written += text;
  });
  return {
    written: () => written,
    send: (signal: Deno.Signal) => process.kill(signal),
    async ended() {
      const { code } = await process.status;
      await Promise.all(reading);
      return code;
    },
    /** Ends it, if a test has failed before it did. */
    [Symbol.dispose]() {
      try {
        process.kill("SIGKILL");
      } catch {
        // It has ended.
      }
    },
  };
}

function startWorker(hosts: Hosts, name: string, cwd: string, ...more: readonly string[]) {
  const redis = `redis://${hosts.addressOf("queue")}`;
  return startOn(hosts, name, ["worker", "--redis", redis, "--threads", "1", ...more], cwd);
}

async function endWorkers(workers: readonly ReturnType<typeof startWorker>[]) {
  for (const worker of workers) worker.send("SIGINT");
  for (const worker of workers) assert.equal(await worker.ended(), 0, worker.written());
}

const modelFile = (folder: string, name: string) =>
  Deno.readFile(join(folder, name, "model.kan.safetensors"));

Deno.test(
  "hosts that share a network and a folder code what one codes",
  SEVERAL,
  () =>
    withWorkFolder(async (folder) => {
      await using hosts = await Hosts.make("queue", "model", "one", "two");
      await using _server = await startRedis(hosts, "queue");
      const store = ["--store", join(folder, "store")];
      using one = startWorker(hosts, "one", folder, ...store);
      using two = startWorker(hosts, "two", folder, ...store);
      const workers = [one, two];
      await until(() => workers.every(({ written }) => written().includes("waiting for tasks")));
      const args = ["compress", "model", "--data-free", "--no-evaluate"];
      const redis = ["--redis", `redis://${hosts.addressOf("queue")}`, ...store, "--out", "spread"];
      using spread = startOn(hosts, "model", [...args, ...redis], folder);
      assert.equal(await spread.ended(), 0, spread.written());
      await endWorkers(workers);
      const done = workers.map(({ written }) => Number(/(\d+) tasks? done in/.exec(written())![1]));
      assert.ok(done[0]! + done[1]! > 0);
      const alone = await runCommandLine([...args, "--out", "alone"], { cwd: folder });
      assert.equal(alone.code, 0, alone.error);
      assert.deepEqual(await modelFile(folder, "spread"), await modelFile(folder, "alone"));
    }),
);

Deno.test(
  "cables are pulled while hosts code: all say so, and the bytes stay",
  SLOW,
  () =>
    withWorkFolder(async (folder) => {
      await using hosts = await Hosts.make("queue", "model", "one", "two");
      await using _server = await startRedis(hosts, "queue");
      using one = startWorker(hosts, "one", folder);
      using two = startWorker(hosts, "two", folder);
      const workers = [one, two];
      await until(() => workers.every(({ written }) => written().includes("waiting for tasks")));
      const args = ["compress", "--data-free", "--no-evaluate", "--states", "256"];
      const redis = ["--redis", `redis://${hosts.addressOf("queue")}`, "--out", "spread"];
      const json = ["--progress", "json"];
      using spread = startOn(hosts, "model", [...args, ...redis, ...json], folder);
      const isCoding = /"event":"progress","phase":"compress"/;
      await until(() => isCoding.test(spread.written()));
      // That of the queue: nobody hears anything, and no connection ends by itself.
      await hosts.cut("queue");
      const all = [spread, ...workers];
      await until(() => all.every(({ written }) => written().includes("the connection was lost")));
      await hosts.mend("queue");
      await until(() =>
        all.every(({ written }) => written().includes("connection is there again"))
      );
      // That of a worker, which stays: the other takes its task.
      const before = spread.written().length;
      await until(() => isCoding.test(spread.written().slice(before)));
      await hosts.cut("one");
      assert.equal(await spread.ended(), 0, spread.written());
      await hosts.mend("one");
      await endWorkers(workers);
      const alone = await runCommandLine([...args, "--out", "alone"], { cwd: folder });
      assert.equal(alone.code, 0, alone.error);
      assert.deepEqual(await modelFile(folder, "spread"), await modelFile(folder, "alone"));
    }),
);
