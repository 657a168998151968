import assert from "node:assert";
import { Buffer } from "node:buffer";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { openModel } from "../../data/mod.ts";
import { connectRedis } from "../../distributed/redis_link.ts";
import { serveTasks } from "../../distributed/serve_tasks.ts";
import { openSharedStore } from "../../distributed/shared_store.ts";
import { needsRedis, RedisServer } from "../../distributed/testdata/redis_server.ts";
import { decompressWeights } from "../../hierarchy/mod.ts";
import { decompress } from "../input/decompress_file.ts";
import { runCommandLine } from "../testdata/command_line.ts";
import { fileNames, withWorkFolder } from "../testdata/work_folder.ts";
import { compress } from "./compress_model.ts";

Deno.test("a program's file is that of the command line, byte for byte", () =>
  withWorkFolder(async (folder) => {
    const model = join(folder, "model");
    const command = ["compress", "model", "--bits", "6", "--out", "by-command", "--no-evaluate"];
    const limits = ["--calibration-tokens", "128", "--backend", "wasm", "--no-cache"];
    const { code, error } = await runCommandLine([...command, ...limits], { cwd: folder });
    assert.equal(code, 0, error);
    const activities = new Set<string>();
    const options = { bits: 6, calibrationTokens: 128, backend: "wasm" } as const;
    const { bytes, report } = await compress(model, {
      ...options,
      out: join(folder, "by-program"),
      onProgress: (activity, share) => {
        activities.add(activity);
        assert.ok(share >= 0 && share <= 1);
      },
    });
    const expected = await readFile(join(folder, "by-command/model.kan.safetensors"));
    assert.deepEqual(Buffer.from(bytes), expected);
    assert.deepEqual(await readFile(join(folder, "by-program/model.kan.safetensors")), expected);
    assert.deepEqual(fileNames(join(folder, "by-program")), fileNames(join(folder, "by-command")));
    assert.ok(report.bitsPerWeight <= 6);
    assert.ok(activities.has("calibrate") && activities.has("factor"), [...activities].join());
    // An opened model is the same model.
    const source = await openModel(model);
    const again = await compress(source, options);
    assert.deepEqual(
      await decompressWeights(again.bytes),
      await decompress(join(folder, "by-program")),
    );
  }));

Deno.test("what calibration found is kept for another rate, if that is asked for", () =>
  withWorkFolder(async (folder) => {
    const model = join(folder, "model");
    const before = process.env["KANPRESS_CACHE"];
    process.env["KANPRESS_CACHE"] = join(folder, "cache");
    try {
      const compressTo = async (bits: number, keepCalibration: boolean) => {
        const activities = new Set<string>();
        const onProgress = (activity: string) => activities.add(activity);
        const options = { bits, calibrationTokens: 128, backend: "wasm", keepCalibration } as const;
        const { bytes } = await compress(model, { ...options, onProgress });
        return { bytes, calibrated: activities.has("calibrate") };
      };
      assert.ok((await compressTo(6, false)).calibrated);
      assert.ok((await compressTo(6, true)).calibrated);
      const kept = await compressTo(5, true);
      assert.equal(kept.calibrated, false);
      assert.deepEqual(kept.bytes, (await compressTo(5, false)).bytes);
    } finally {
      if (before === undefined) delete process.env["KANPRESS_CACHE"];
      else process.env["KANPRESS_CACHE"] = before;
    }
  }));

Deno.test("without calibration a program's file is another, of the same size", () =>
  withWorkFolder(async (folder) => {
    const model = join(folder, "model");
    const options = { bits: 6, calibrationTokens: 128, backend: "wasm" } as const;
    const calibrated = await compress(model, options);
    const plain = await compress(model, { ...options, calibrate: false });
    assert.notDeepEqual(plain.bytes, calibrated.bytes);
    assert.ok(plain.report.bitsPerWeight <= 6);
  }));

Deno.test("a program that keeps its work goes on from it, with the same bytes", () =>
  withWorkFolder(async (folder) => {
    const model = join(folder, "model"), work = join(folder, "work");
    const options = { bits: 6, calibrationTokens: 128, backend: "wasm" } as const;
    const { bytes } = await compress(model, options);
    for (let run = 0; run < 2; run++) {
      assert.deepEqual((await compress(model, { ...options, work })).bytes, bytes);
    }
    assert.ok([...Deno.readDirSync(work)].some(({ name }) => name.startsWith("pass-")));
  }));

/** A worker in this process, which is ended when it is disposed of. */
async function startWorker(address: string, place?: string) {
  const link = await connectRedis(address);
  const shared = await openSharedStore(place, link);
  let done = 0;
  const onTask = () => void done++;
  const server = await serveTasks({ link, shared, threads: 1, memory: 2 ** 30, onTask });
  return {
    done: () => done,
    async [Symbol.asyncDispose]() {
      await server.close();
      link.close();
    },
  };
}

Deno.test(
  "a program has other machines code, with the same bytes",
  needsRedis,
  () =>
    withWorkFolder(async (folder) => {
      await using server = new RedisServer();
      await server.start();
      const model = join(folder, "model"),
        work = join(folder, "work"),
        store = join(folder, "store");
      const options = { bits: 6, calibrate: false } as const;
      const { bytes } = await compress(model, options);
      for (const place of [undefined, store]) {
        const heard: string[] = [];
        const distributed = {
          ...{ ...options, redis: server.address, ...(place && { store: place }) },
          onMessage: (line: string) => heard.push(line),
        };
        {
          await using worker = await startWorker(server.address, place);
          assert.deepEqual((await compress(model, distributed)).bytes, bytes);
          assert.ok(worker.done() > 0);
          assert.match(heard[0]!, /^1 worker with 1 thread/);
          // What was kept is taken from there, by Redis or without.
          assert.deepEqual((await compress(model, { ...distributed, work })).bytes, bytes);
        }
        const stop = new AbortController();
        const alone = compress(model, {
          ...{ ...distributed, bits: 5, signal: stop.signal },
          onMessage(line) {
            heard.push(line);
            if (line.startsWith("waiting for workers")) stop.abort(new Error("enough"));
          },
        });
        await assert.rejects(alone, /enough/);
      }
    }),
);

Deno.test("bad options and places are refused before the work", () =>
  withWorkFolder(async (folder) => {
    const model = join(folder, "model");
    const refuse = (promise: Promise<unknown>, message: RegExp) =>
      assert.rejects(promise, (error: Error) => {
        assert.match(error.message, message);
        return true;
      });
    await refuse(compress(join(folder, "none")), /none: does not exist/);
    await refuse(compress(model, { bits: 99 }), /^bits: 99 is not from/);
    await refuse(compress(model, { out: join(folder, "text.txt") }), /text.txt: /);
    await refuse(compress(model, { signal: AbortSignal.abort(new Error("enough")) }), /enough/);
    await refuse(
      compress(model, { store: "s" }),
      /^store: is for other machines; name .* as redis/,
    );
    await refuse(compress(model, { redis: "localhost" }), /^localhost: is no address of a Redis/);
    const nobody = compress(model, { redis: "redis://127.0.0.1:1" });
    await refuse(nobody, /^redis:\/\/127.0.0.1:1: cannot be reached .*start redis-server there/);
    await refuse(decompress(join(folder, "none")), /none: does not exist/);
    await refuse(decompress(model), /has no .kan.safetensors file/);
  }));
