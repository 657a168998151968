import assert from "node:assert";
import { Buffer } from "node:buffer";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { openModel } from "../../data/mod.ts";
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
    assert.ok([...Deno.readDirSync(work)].some(({ name }) => name.startsWith("quantize-")));
  }));

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
    await refuse(decompress(join(folder, "none")), /none: does not exist/);
    await refuse(decompress(model), /has no .kan.safetensors file/);
  }));
