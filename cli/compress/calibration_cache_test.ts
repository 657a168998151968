import assert from "node:assert";
import { basename, join } from "node:path";
import { TemporaryFolder } from "../../data/testdata/temporary_folder.ts";
import type { KeptCalibration } from "../../eval/calibration/calibration_file.ts";
import { cachedCalibration } from "./calibration_cache.ts";
import { cacheFolder } from "../input/cache_folder.ts";
import { fileNames } from "../testdata/work_folder.ts";

function kept(seed: number): KeptCalibration {
  const calibration = {
    tokens: seed,
    contextLength: 4,
    moments: [{ size: 2, triangle: Float32Array.of(1, 0, seed) }],
    linears: [{ weight: "w", moment: 0, inputAxis: 1 as const }],
    tokenFrequencies: Float64Array.of(1),
  };
  return { calibration, tokens: Int32Array.of(seed) };
}

/** Asks a cache for a calibration; tells whether it had to be made, and what was said. */
async function ask(folder: string, key: string, seed: number) {
  const lines: string[] = [];
  let made = false;
  const make = () => {
    made = true;
    return Promise.resolve(kept(seed));
  };
  const found = await cachedCalibration(folder, key, make, { writeLine: (l) => lines.push(l) });
  return { found, made, lines };
}

Deno.test("a calibration is made once for each key", async () => {
  using temporary = new TemporaryFolder();
  const folder = join(temporary.path, "cache");
  assert.deepEqual(await ask(folder, "a".repeat(64), 1), { found: kept(1), made: true, lines: [] });
  const again = await ask(folder, "a".repeat(64), 2);
  assert.deepEqual([again.found, again.made], [kept(1), false]);
  assert.match(again.lines.join(), /^calibration from .*cache.calibration-a{24}\.safetensors/);
  assert.equal((await ask(folder, "b".repeat(64), 3)).made, true);
  assert.deepEqual(fileNames(folder).slice(0, 2), [".gitignore", "CACHEDIR.TAG"]);
});

Deno.test("a damaged calibration is reported and made again", async () => {
  using folder = new TemporaryFolder();
  await ask(folder.path, "a".repeat(64), 1);
  const path = join(folder.path, `calibration-${"a".repeat(24)}.safetensors`);
  await Deno.truncate(path, 100);
  const mended = await ask(folder.path, "a".repeat(64), 2);
  assert.equal(mended.made, true);
  assert.ok(mended.lines.length === 1 && mended.lines[0]!.startsWith(path), `${mended.lines}`);
  assert.deepEqual((await ask(folder.path, "a".repeat(64), 3)).found, kept(2));
});

Deno.test("a folder keeps the newest four calibrations and leaves other files alone", async () => {
  using folder = new TemporaryFolder();
  await Deno.writeTextFile(join(folder.path, "mine.txt"), "");
  for (const [age, key] of [..."abcdef"].entries()) {
    await ask(folder.path, key.repeat(64), 1);
    const path = join(folder.path, `calibration-${key.repeat(24)}.safetensors`);
    await Deno.utime(path, 1e6 + age, 1e6 + age);
  }
  assert.deepEqual(
    fileNames(folder.path),
    [".gitignore", "CACHEDIR.TAG", ..."cdef", "mine.txt"].map((name) =>
      name.length === 1 ? `calibration-${name.repeat(24)}.safetensors` : name
    ),
  );
});

Deno.test("what killed runs have half written goes, what runs are writing stays", async () => {
  using folder = new TemporaryFolder();
  const half = (uuid: string) =>
    join(folder.path, `.calibration-${"b".repeat(24)}.safetensors.tmp-${uuid}`);
  const [old, fresh] = [half(crypto.randomUUID()), half(crypto.randomUUID())];
  for (const path of [old, fresh]) await Deno.writeTextFile(path, "half");
  await Deno.utime(old, 1e6, 1e6);
  await ask(folder.path, "a".repeat(64), 1);
  const left = fileNames(folder.path).filter((name) => name.startsWith(".calibration"));
  assert.deepEqual(left, [basename(fresh)]);
});

Deno.test("where nothing can be kept that is said before the work, which goes on", async () => {
  const key = "a".repeat(64);
  const name = `calibration-${"a".repeat(24)}.safetensors`;
  using temporary = new TemporaryFolder();
  const file = join(temporary.path, "file"), folder = join(temporary.path, "folder");
  await Deno.writeTextFile(file, "");
  await Deno.mkdir(join(folder, name), { recursive: true });
  for (const [place, expected] of [[join(file, "cache"), 1], [folder, 2]] as const) {
    const said: string[] = [];
    let before = 0;
    const make = () => {
      before = said.length;
      return Promise.resolve(kept(1));
    };
    const found = await cachedCalibration(place, key, make, { writeLine: (l) => said.push(l) });
    assert.deepEqual(found, kept(1));
    assert.deepEqual([said.length, before], [expected, expected], said.join("\n"));
    assert.match(said.at(-1)!, /^calibration cannot be kept: /);
  }
});

Deno.test("local models keep calibrations beside them, others in the user's cache", () => {
  const model = { path: "models/mine" };
  assert.equal(cacheFolder(model, true, {}), join("models", "mine", ".kanpress"));
  assert.equal(cacheFolder(model, false, { XDG_CACHE_HOME: "/c" }), join("/c", "kanpress"));
  assert.equal(cacheFolder({}, true, { XDG_CACHE_HOME: "/c" }), join("/c", "kanpress"));
  assert.equal(cacheFolder(model, true, { KANPRESS_CACHE: "/mine" }), "/mine");
  assert.match(cacheFolder({}, false, {}), /\.cache.kanpress$/);
});
