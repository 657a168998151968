import assert from "node:assert";
import { join, resolve } from "node:path";
import { decompressWeights } from "../../hierarchy/mod.ts";
import { compress } from "./compress.ts";
import type { CompressOptions } from "../options/compress_options.ts";
import { recordedRun } from "../testdata/recorded_run.ts";
import { fileNames, withWorkFolder } from "../testdata/work_folder.ts";

function optionsIn(folder: string, more: Partial<CompressOptions> = {}): CompressOptions {
  return {
    text: [join(folder, "text.txt")],
    out: join(folder, "out"),
    seed: 0,
    threads: 1,
    backend: "cpu",
    ...more,
  };
}

Deno.test("compress writes a folder that stands by itself and reports on it", () =>
  withWorkFolder(async (folder) => {
    const run = recordedRun();
    const model = join(folder, "model");
    await compress(model, optionsIn(folder, { bits: 8, json: true }), run);
    const out = join(folder, "out", "model.kan.safetensors");
    assert.deepEqual(fileNames(join(folder, "out")), [
      "README.md",
      "config.json",
      "model.kan.safetensors",
      "tokenizer.json",
      "tokenizer_config.json",
    ]);
    const bytes = await Deno.readFile(out);
    const fields = JSON.parse(run.printed.join());
    assert.deepEqual(Object.keys(fields), [
      "model",
      "parameters",
      "originalBytes",
      "originalDtype",
      "compressedBytes",
      "bitsPerWeight",
      "perplexity",
      "klDivergence",
      "sameTop1",
      "klByFrequency",
      "calibration",
      "uniform",
      "driftCorrected",
      "seconds",
      "out",
      "command",
      "backend",
    ]);
    assert.equal(fields.parameters, 7936);
    assert.equal(fields.originalBytes, (await Deno.stat(join(model, "model.safetensors"))).size);
    assert.equal(fields.compressedBytes, bytes.length);
    assert.equal(fields.bitsPerWeight, 8 * bytes.length / 7936);
    assert.ok(fields.klDivergence.mean >= 0 && fields.klDivergence.mean < 0.1);
    assert.equal(fields.out, out);
    assert.equal((await decompressWeights(bytes)).size, 16);
  }));

Deno.test("a file alone is written where --out names one, and replaced with a word", () =>
  withWorkFolder(async (folder) => {
    const out = join(folder, "small.kan.safetensors");
    const options = optionsIn(folder, { bits: 8, out });
    await compress(join(folder, "model"), options, recordedRun());
    const first = await Deno.readFile(out);
    assert.deepEqual(fileNames(folder), ["model", "small.kan.safetensors", "text.txt"]);
    const run = recordedRun();
    await compress(join(folder, "model"), options, run);
    assert.ok(run.lines.includes(`replacing ${out}`));
    assert.deepEqual(await Deno.readFile(out), first, "not the same bytes");
    assert.match(run.printed.join(), /bits per weight/);
  }));

Deno.test("options that contradict each other are usage errors", async () => {
  const usage = { name: "UsageError" };
  const run = (more: Partial<CompressOptions>) =>
    compress("m", optionsIn(".", more), recordedRun());
  await assert.rejects(run({ preset: "rate", levels: 2 }), usage);
  await assert.rejects(run({ preset: "rate", hiddenDims: [8] }), usage);
  await assert.rejects(run({ levels: 2, hiddenDims: [8] }), usage);
  await assert.rejects(run({ bits: 4, size: 1000 }), usage);
  await assert.rejects(run({ bits: 4, maxKl: 0.1 }), usage);
  await assert.rejects(run({ size: 1000, maxKl: 0.1 }), usage);
  await assert.rejects(run({ preset: "seed", uniform: true }), usage);
  await assert.rejects(run({ preset: "seed", states: 8 }), usage);
  await assert.rejects(run({ preset: "seed", effort: "best" }), usage);
  await assert.rejects(run({ levels: 2, calibrationTokens: 99 }), usage);
  await assert.rejects(run({ levels: 2, calibrationLoss: 0.05 }), usage);
  await assert.rejects(run({ hiddenDims: [8], dataFree: true }), usage);
});

Deno.test("a text to calibrate on is opened before weights are read", () =>
  withWorkFolder(async (folder) => {
    for (const calibration of ["nowhere.txt", "nowhere.jsonl"]) {
      const run = recordedRun();
      await assert.rejects(
        compress(join(folder, "model"), optionsIn(folder, { calibration: [calibration] }), run),
        { name: "InputError", message: new RegExp(`^${calibration}: does not exist`) },
      );
      assert.ok(!run.lines.some((line) => line.startsWith("read")));
    }
  }));

Deno.test("a target in divergence is met on the measured text, and tells what cannot be", () =>
  withWorkFolder(async (folder) => {
    const run = recordedRun();
    const options = optionsIn(folder, { maxKl: 0.01, dataFree: true, effort: "fast", json: true });
    await compress(join(folder, "model"), options, run);
    const { klDivergence } = JSON.parse(run.printed.join());
    // So small a model on so short a text grows apart by jumps wider than 5 %.
    assert.ok(klDivergence.mean <= 0.01 && klDivergence.mean >= 0.008, `${klDivergence.mean}`);
    const asked = compress(join(folder, "model"), { ...options, maxKl: 1e-9 }, recordedRun());
    await assert.rejects(asked, /1e-9 cannot be reached; the least found is .* bits per parameter/);
  }));

Deno.test("a second run takes the calibration from beside the model, and gives the same bytes", () =>
  withWorkFolder(async (folder) => {
    const model = join(folder, "model");
    const run = async (more: Partial<CompressOptions>) => {
      const run = { ...recordedRun(), environment: { XDG_CACHE_HOME: join(folder, "cache") } };
      const options = optionsIn(folder, { bits: 8, json: true, calibrationTokens: 128, ...more });
      await compress(model, options, run);
      const bytes = await Deno.readFile(join(folder, "out", "model.kan.safetensors"));
      const { seconds, calibration } = JSON.parse(run.printed.join());
      return { bytes, calibration, phases: Object.keys(seconds), lines: run.lines };
    };
    const without = await run({});
    assert.ok(!fileNames(model).includes(".kanpress"));
    const first = await run({ cache: true });
    const places = join(folder, "cache", "kanpress", "originals");
    assert.equal(await Deno.readTextFile(join(places, fileNames(places).join())), resolve(model));
    const second = await run({ cache: true });
    assert.deepEqual(first.bytes, without.bytes);
    assert.deepEqual(second.bytes, first.bytes);
    assert.deepEqual(second.calibration, first.calibration);
    assert.ok(["sample", "calibrate"].every((phase) => first.phases.includes(phase)));
    assert.ok(["sample", "calibrate"].every((phase) => !second.phases.includes(phase)));
    assert.ok(second.lines.some((line) => line.startsWith("calibration from ")));
    const [name] = fileNames(join(model, ".kanpress")).filter((file) => /^calibration/.test(file));
    await Deno.truncate(join(model, ".kanpress", name!), 500);
    const third = await run({ cache: true });
    assert.ok(third.phases.includes("calibrate"));
    assert.deepEqual(third.bytes, first.bytes);
    const other = await run({ cache: true, seed: 1 });
    assert.ok(other.phases.includes("calibrate"), "another seed, but no other calibration");
  }));

Deno.test("uniform rates are recorded", () =>
  withWorkFolder(async (folder) => {
    const run = recordedRun();
    await compress(
      join(folder, "model"),
      optionsIn(folder, {
        bits: 8,
        json: true,
        uniform: true,
        calibration: [join(folder, "text.txt")],
      }),
      run,
    );
    assert.equal(JSON.parse(run.printed.join()).uniform, true);
  }));
