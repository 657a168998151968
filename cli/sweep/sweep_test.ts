import assert from "node:assert";
import { join } from "node:path";
import { sweep } from "./sweep.ts";
import type { SweepOptions } from "../options/sweep_options.ts";
import { type RecordedRun, recordedRun } from "../testdata/recorded_run.ts";
import { fileNames, withWorkFolder } from "../testdata/work_folder.ts";

async function sweepIn(
  folder: string,
  { calibrated = false, ...more }: Partial<SweepOptions> & { readonly calibrated?: boolean } = {},
  run: RecordedRun = recordedRun(),
) {
  await sweep(join(folder, "model"), {
    presets: ["rate", "nf4"],
    bits: [8],
    text: [join(folder, "text.txt")],
    out: join(folder, "out"),
    ...(!calibrated && { dataFree: true }),
    json: true,
    seed: 0,
    threads: 1,
    backend: "cpu",
    ...more,
  }, run);
  return { record: JSON.parse(run.printed.join()), lines: run.lines };
}

Deno.test("a sweep measures each point once, and goes on where it was stopped", () =>
  withWorkFolder(async (folder) => {
    const { record } = await sweepIn(folder, { presets: ["nf4"] });
    assert.deepEqual(fileNames(join(folder, "out")), [
      "original.safetensors",
      "sweep.csv",
      "sweep.json",
    ]);
    const more = await sweepIn(folder, { bits: [8, 0.1] });
    assert.ok(more.lines.some((line) => /1 of 3 points done/.test(line)));
    assert.deepEqual(more.record.points[0], record.points[0]);
    assert.deepEqual(more.record.original, record.original);
    const [nf4, rate, failed] = more.record.points;
    assert.ok(nf4.klDivergence > rate.klDivergence && rate.bitsPerWeight < 8.5);
    assert.match(failed.error, /cannot be reached/);
    const written = JSON.parse(await Deno.readTextFile(join(folder, "out", "sweep.json")));
    assert.deepEqual(written, more.record);
    const before = more.lines.length;
    const again = await sweepIn(folder, { bits: [8, 0.1] });
    assert.ok(again.lines.length < before);
    assert.deepEqual(again.record, more.record);
    await assert.rejects(
      sweepIn(folder, { seed: 1 }),
      /sweep.json: is a sweep with other settings \(seed\); choose another --out/,
    );
    const older = structuredClone(written);
    older.settings.version = older.settings.version.replace(/drift \d+/, "drift 1");
    await Deno.writeTextFile(join(folder, "out", "sweep.json"), JSON.stringify(older, null, 2));
    await assert.rejects(sweepIn(folder, {}), /sweep with other settings \(version\)/);
  }));

Deno.test("a sweep that is stopped says how far it came, and goes on from there", () =>
  withWorkFolder(async (folder) => {
    const controller = new AbortController();
    const recorded = recordedRun();
    const run = {
      ...recorded,
      signal: controller.signal,
      writeLine(line: string) {
        recorded.writeLine(line);
        if (/^point 2 of 2/.test(line)) controller.abort(new Error("stopped"));
      },
    };
    await assert.rejects(sweepIn(folder, {}, run), /stopped/);
    const place = join(folder, "out");
    assert.ok(
      recorded.lines.includes(`${place}: 1 of 2 points done; the same command resumes here`),
    );
    const { lines } = await sweepIn(folder);
    assert.ok(lines.some((line) => /1 of 2 points done$/.test(line)));
    assert.ok(lines.some((line) => /^point 1 of 1: nf4/.test(line)));
  }));

Deno.test("what sweep did not write is not taken for a sweep", () =>
  withWorkFolder(async (folder) => {
    await Deno.mkdir(join(folder, "out"));
    for (const name of ["sweep.json", "sweep.csv", "original.safetensors"]) {
      await Deno.writeTextFile(join(folder, "out", name), '{"mine": 1}');
      await assert.rejects(sweepIn(folder), {
        message: `${folder}/out: has ${name}, which sweep did not write; ` +
          "choose another --out or remove it",
      });
      assert.deepEqual(fileNames(join(folder, "out")), [name]);
      await Deno.remove(join(folder, "out", name));
    }
    await Deno.writeTextFile(join(folder, "out", "notes.txt"), "mine");
    await sweepIn(folder, { presets: ["nf4"] });
    assert.ok(fileNames(join(folder, "out")).includes("notes.txt"));
    await assert.rejects(sweepIn(folder, { out: join(folder, "text.txt") }), /text.txt: /);
  }));

Deno.test("another text of the same name is another sweep, and the same text of another name is not", () =>
  withWorkFolder(async (folder) => {
    const calibration = join(folder, "calibration.txt");
    const write = (letter: string) => Deno.writeTextFile(calibration, letter.repeat(200));
    const run = (path = calibration) => {
      return sweepIn(folder, { presets: ["nf4"], calibrated: true, calibration: [path] });
    };
    await write("a");
    await run();
    await write("b");
    await assert.rejects(run(), /sweep with other settings \(calibration\)/);
    await write("a");
    await run();
    await Deno.rename(calibration, `${calibration}.moved`);
    await run(`${calibration}.moved`);
  }));

Deno.test("what is kept of the original is checked, and made again where it is damaged", () =>
  withWorkFolder(async (folder) => {
    const first = await sweepIn(folder, { presets: ["nf4"] });
    const file = join(folder, "out", "original.safetensors");
    const whole = await Deno.readFile(file);
    const damaged = whole.slice();
    // The exponent of one hidden feature.
    damaged[whole.length - 1]! ^= 0x40;
    await Deno.writeFile(file, damaged);
    const { record, lines } = await sweepIn(folder, { presets: ["nf4", "q8_0"] });
    assert.ok(
      lines.some((line) => /original.safetensors: is damaged .* \(it is made again\)/.test(line)),
    );
    assert.deepEqual(record.original, first.record.original);
    assert.deepEqual(record.points[0], first.record.points[0]);
    assert.deepEqual(await Deno.readFile(file), whole);
  }));
