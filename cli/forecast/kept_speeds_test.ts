import assert from "node:assert";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { TemporaryFolder } from "../../data/testdata/temporary_folder.ts";
import { recordedRun } from "../testdata/recorded_run.ts";
import { announce } from "./announce.ts";
import { keepSpeeds, learntSpeeds, onThisMachine, readSpeeds } from "./kept_speeds.ts";

const USUAL = {
  phases: [{ name: "calibrate", seconds: 10 }, { name: "compress", seconds: 20 }, {
    name: "compress",
    seconds: 20,
  }, { name: "write", seconds: 0.1 }],
};

Deno.test("speeds: what a run took changes the next forecast of that engine alone", () => {
  const taken = { calibrate: 40, compress: 10, write: 50, total: 80 };
  const speeds = learntSpeeds({}, USUAL, taken, "wasm");
  assert.deepEqual(speeds, { "calibrate wasm": 2, "compress wasm": 0.5 });
  const seconds = (backend: string) =>
    onThisMachine(USUAL, speeds, backend).phases.map((phase) => phase.seconds);
  assert.deepEqual(seconds("wasm"), [20, 10, 10, 0.1]);
  assert.deepEqual(seconds("native"), [10, 20, 20, 0.1]);
  // A second run that was eight times slower counts half.
  const later = learntSpeeds(speeds, USUAL, { calibrate: 160 }, "wasm");
  assert.ok(Math.abs(later["calibrate wasm"]! - Math.sqrt(32)) < 1e-9);
  assert.equal(later["compress wasm"], 0.5);
  // Somebody closed the lid.
  assert.deepEqual(learntSpeeds(speeds, USUAL, { calibrate: 1e5 }, "wasm"), speeds);
});

Deno.test("speeds: kept beside other things of kanpress; what is damaged is made again", async () => {
  using folder = new TemporaryFolder();
  const environment = { KANPRESS_CACHE: join(folder.path, "cache") };
  assert.deepEqual(await readSpeeds(environment), {});
  await keepSpeeds({ "calibrate wasm": 2 }, environment);
  assert.deepEqual(await readSpeeds(environment), { "calibrate wasm": 2 });
  const file = join(folder.path, "cache", "speeds.json");
  for (const text of ["", "[]", '{"a": "b", "c": -1, "d": 1e300}']) {
    await Deno.writeTextFile(file, text);
    assert.deepEqual(await readSpeeds(environment), {});
  }
  const half = join(folder.path, "cache", `.speeds.json.tmp-${crypto.randomUUID()}`);
  await Deno.writeTextFile(half, "");
  await Deno.utime(half, 0, 0);
  await keepSpeeds({}, environment);
  assert.ok(!existsSync(half));
  // A place where nothing can be kept is not an error.
  await keepSpeeds({}, { KANPRESS_CACHE: join(file, "below") });
});

Deno.test("speeds: learnt at the end of a run, unless nothing is to be kept", async () => {
  using folder = new TemporaryFolder();
  const run = { ...recordedRun(), environment: { KANPRESS_CACHE: folder.path } };
  const took = { ...run, seconds: () => ({ calibrate: 90, total: 90 }) };
  await (await announce(took, USUAL, { backend: "wasm", cache: false }))();
  assert.deepEqual(await readSpeeds(run.environment), {});
  await (await announce(took, USUAL, { backend: "wasm" }))(["calibrate"]);
  assert.deepEqual(await readSpeeds(run.environment), {});
  await (await announce(took, USUAL, { backend: "wasm" }))();
  assert.deepEqual(await readSpeeds(run.environment), { "calibrate wasm": 3 });
  await announce(run, USUAL, { backend: "wasm" });
  assert.deepEqual(
    run.lines,
    ["50", "50", "50", "70"].map((seconds) => `this takes about ${seconds} s`).map((text) =>
      `${text} (calibrate ${text.includes("70") ? 30 : 10} s, compress 40 s)`
    ),
  );
});
