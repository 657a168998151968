import assert from "node:assert";
import { join } from "node:path";
import { memorySource } from "../../data/memory_source.ts";
import { openContainer } from "../../hierarchy/file/container.ts";
import { gainsOf } from "../../hierarchy/gains.ts";
import type { CompressOptions } from "../options/compress_options.ts";
import { recordedRun } from "../testdata/recorded_run.ts";
import { withWorkFolder } from "../testdata/work_folder.ts";
import { compress } from "./compress.ts";
import { compress as compressInProgram } from "./compress_model.ts";
import { tuningSteps } from "./tuning.ts";

const TUNED = { bits: 8, tune: 6 };

function optionsIn(folder: string, more: Partial<CompressOptions> = {}): CompressOptions {
  const out = join(folder, "tuned.kan.safetensors");
  const calibration = [join(folder, "text.txt")];
  const usual = { seed: 0, threads: 1, backend: "wasm", evaluate: false } as const;
  return { out, calibration, ...usual, ...TUNED, ...more };
}

Deno.test("compress --tune writes gains, keeps to the size, and says what it won", () =>
  withWorkFolder(async (folder) => {
    const model = join(folder, "model");
    const run = recordedRun();
    const options = optionsIn(folder, { json: true });
    await compress(model, options, run);
    const { tuning, bitsPerWeight, seconds } = JSON.parse(run.printed.join());
    assert.ok(bitsPerWeight <= 8);
    assert.equal(tuning.steps, 6);
    assert.ok(tuning.after < tuning.before, JSON.stringify(tuning));
    assert.ok(tuning.bestStep >= 1 && tuning.heldOutTokens > 0 && seconds.tune > 0);
    const bytes = await Deno.readFile(options.out!);
    const container = await openContainer(memorySource(bytes, "tuned"));
    assert.ok(gainsOf(container).size > 0);
    const told = recordedRun();
    await compress(model, optionsIn(folder), told);
    assert.match(
      told.printed.join(),
      /tuned for \d of 6 steps: \d+ % less divergence on [\d,]+ to/,
    );
  }));

Deno.test("a tuning that is stopped is taken up again, to the same bytes", () =>
  withWorkFolder(async (folder) => {
    const model = join(folder, "model");
    const options = optionsIn(folder, { cache: true });
    const kept = () =>
      [...Deno.readDirSync(join(model, ".kanpress"))].filter(({ name }) =>
        name.startsWith("tuning-")
      );
    await compress(model, options, recordedRun());
    const whole = await Deno.readFile(options.out!);
    assert.deepEqual(kept(), []);
    const stop = new AbortController();
    const first = recordedRun();
    await assert.rejects(
      compress(model, options, {
        ...first,
        signal: stop.signal,
        phase: (name, work) =>
          first.phase(name, (progress) =>
            work((share, activity) => {
              if (name === "tune" && share > 0.4) stop.abort(new Error("enough"));
              progress(share, activity);
            })),
      }),
      /enough/,
    );
    assert.equal(kept().length, 1);
    const again = recordedRun();
    await compress(model, options, again);
    assert.ok(again.lines.some((line) => /tuning goes on after step 3 from /.test(line)));
    assert.deepEqual(await Deno.readFile(options.out!), whole);
    assert.deepEqual(kept(), []);
  }));

Deno.test("a program tunes to the bytes of the command line", () =>
  withWorkFolder(async (folder) => {
    const model = join(folder, "model");
    const few = { bits: 8, tune: 1, calibrationTokens: 64 };
    const { calibration: _, ...options } = optionsIn(folder, few);
    await compress(model, options, recordedRun());
    const { bytes } = await compressInProgram(model, { ...few, threads: 2, backend: "wasm" });
    assert.deepEqual(bytes, await Deno.readFile(options.out!));
  }));

Deno.test("what cannot be tuned is refused before any work", () =>
  withWorkFolder(async (folder) => {
    const model = join(folder, "model");
    const refused = (more: Partial<CompressOptions>, expected: RegExp) => {
      const { bits: _, ...rest } = optionsIn(folder);
      return assert.rejects(compress(model, { ...rest, ...more }, recordedRun()), expected);
    };
    await refused({ preset: "hybrid" }, /--tune is about files of --preset rate/);
    await refused({ maxKl: 0.1 }, /give --bits or --size with --tune/);
    const short = join(folder, "short.txt");
    await Deno.writeTextFile(short, "All the town was asleep, or so it seemed to us.");
    await refused({ calibration: [short] }, /has 1 chunk of 32 tokens, and tuning needs one more/);
  }));

Deno.test("the effort best tunes where that is possible, unless it is said otherwise", async () => {
  const { openModel } = await import("../../data/mod.ts");
  const { readStateDict } = await import("../../eval/mod.ts");
  await withWorkFolder(async (folder) => {
    const source = await openModel(join(folder, "model"));
    const model = { source, weights: await readStateDict(source) };
    const usual = { preset: "rate", isCalibrated: true, byDivergence: false } as const;
    assert.equal(tuningSteps(model, usual), 0);
    assert.equal(tuningSteps(model, { ...usual, tune: 7 }), 7);
    assert.equal(tuningSteps(model, { ...usual, effort: "best" }), 100);
    assert.equal(tuningSteps(model, { ...usual, effort: "best", tune: 0 }), 0);
    assert.equal(tuningSteps(model, { ...usual, effort: "best", isCalibrated: false }), 0);
    assert.equal(tuningSteps(model, { ...usual, effort: "best", preset: "seed" }), 0);
    assert.equal(tuningSteps(model, { ...usual, effort: "best", byDivergence: true }), 0);
  });
});
