import assert from "node:assert";
import { join } from "node:path";
import { TemporaryFolder } from "../../data/testdata/temporary_folder.ts";
import { createRandom } from "../../kan/numeric/random.ts";
import { runCommandLine, startCommandLine } from "../testdata/command_line.ts";
import { withWorkFolder } from "../testdata/work_folder.ts";
import { compress } from "./compress_model.ts";

/** CI sets KANPRESS_SLOW=1. */
const KILLS = Deno.env.get("KANPRESS_SLOW") === "1" ? 10 : 2;

const OUT = "out.kan.safetensors";

function command(...more: readonly string[]): string[] {
  const calibration = ["--calibration", "text.txt", "--no-cache", "--backend", "wasm"];
  return ["compress", "model", ...calibration, "--no-evaluate", "--bits", "12", ...more];
}

Deno.test("drift is corrected by default, to the same file in every run, on any threads and by the library", () =>
  withWorkFolder(async (folder) => {
    const written = async (...more: readonly string[]) => {
      const { code, error } = await runCommandLine(command("--out", OUT, ...more), { cwd: folder });
      assert.equal(code, 0, error);
      return await Deno.readFile(join(folder, OUT));
    };
    const plain = await written("--no-correct-drift");
    const corrected = await written();
    assert.notDeepEqual(corrected, plain);
    assert.deepEqual(await written("--correct-drift", "--threads", "2"), corrected);
    assert.deepEqual(
      await written("--effort", "fast"),
      await written("--effort", "fast", "--no-correct-drift"),
    );
    const ofLibrary = async (more: { readonly correctDrift?: boolean }) => {
      const how = { bits: 12, backend: "wasm" as const, calibrationTokens: 512 };
      return (await compress(join(folder, "model"), { ...how, ...more })).bytes;
    };
    const byLibrary = await ofLibrary({});
    assert.notDeepEqual(byLibrary, await ofLibrary({ correctDrift: false }));
    assert.deepEqual(byLibrary, await ofLibrary({ correctDrift: true }));
  }));

Deno.test(`after ${KILLS} ends, drift is corrected on from where it was, to the same file`, () =>
  withWorkFolder(async (folder) => {
    const args = command("--out", OUT, "--work", "work");
    const start = performance.now();
    await runCommandLine(command("--out", "whole.kan.safetensors"), { cwd: folder });
    const whole = performance.now() - start;
    const expected = await Deno.readFile(join(folder, "whole.kan.safetensors"));
    const random = createRandom(KILLS);
    for (let i = 0; i < KILLS; i++) {
      const process = startCommandLine(args, { cwd: folder });
      const timer = setTimeout(() => process.kill("SIGKILL"), whole * (0.5 + random.uniform() / 2));
      await process.output();
      clearTimeout(timer);
    }
    const { code, error } = await runCommandLine(args, { cwd: folder });
    assert.equal(code, 0, error);
    assert.deepEqual(await Deno.readFile(join(folder, OUT)), expected);
    // What is kept of a file without correction is not taken for one with it, nor the other way round.
    const plain = command("--out", OUT, "--work", "work", "--no-correct-drift");
    assert.equal((await runCommandLine(plain, { cwd: folder })).code, 0);
    assert.notDeepEqual(await Deno.readFile(join(folder, OUT)), expected);
    const again = await runCommandLine(args, { cwd: folder });
    assert.match(again.error, /going on: all matrices were found in work/);
    assert.deepEqual(await Deno.readFile(join(folder, OUT)), expected);
  }));

Deno.test("drift is corrected to the same file where indices of large matrices are in files", async () => {
  const how = { bits: 3, effort: "fast", backend: "wasm", calibrationTokens: 512 } as const;
  using folder = new TemporaryFolder();
  const { bytes } = await compress(undefined, {
    ...how,
    correctDrift: true,
    scratchFolder: folder.path,
  });
  assert.deepEqual((await compress(undefined, { ...how, correctDrift: true })).bytes, bytes);
});

Deno.test("a program is told that drift cannot be corrected before it calibrates", async () => {
  const phases: string[] = [];
  const onProgress = (phase: string) => phases.push(phase);
  const how = { preset: "hybrid", correctDrift: true, onProgress } as const;
  await assert.rejects(compress(undefined, how), /drift cannot be corrected: it is of layers/);
  await assert.rejects(
    compress(undefined, { correctDrift: true, calibrate: false, onProgress }),
    /the model is not calibrated/,
  );
  assert.deepEqual(phases, []);
});

Deno.test("drift that cannot be corrected is refused before any work", () =>
  withWorkFolder(async (folder) => {
    const refused = async (expected: RegExp, ...args: readonly string[]) => {
      const { code, error } = await runCommandLine(["compress", "model", ...args], { cwd: folder });
      assert.notEqual(code, 0);
      assert.match(error, expected);
      assert.doesNotMatch(error, /calibrate:/);
    };
    await refused(/--correct-drift has no effect here/, "--correct-drift", "--data-free");
    await refused(
      /--correct-drift has no effect with --preset seed/,
      ...["--correct-drift", "--preset", "seed", "--hidden-dims", "4"],
    );
    await refused(
      /drift cannot be corrected: that takes about .* of memory, and 1\.00 MB is there/,
      ...["--correct-drift", "--memory", "1MB", "--calibration", "text.txt"],
    );
    await refused(
      /drift cannot be corrected: it is of layers as --preset rate codes them, not hybrid/,
      ...["--correct-drift", "--preset", "hybrid", "--calibration", "text.txt"],
    );
  }));

Deno.test("where there is no memory for both models, drift is not corrected, which is said", () =>
  withWorkFolder(async (folder) => {
    const written = async (...more: readonly string[]) => {
      const { code, error } = await runCommandLine(command("--out", OUT, ...more), { cwd: folder });
      assert.equal(code, 0, error);
      return { error, bytes: await Deno.readFile(join(folder, OUT)) };
    };
    const plain = await written("--no-correct-drift", "--memory", "1MB");
    assert.doesNotMatch(plain.error, /drift/);
    const short = await written("--memory", "1MB");
    assert.match(short.error, /^drift is not corrected: that takes about .* of memory/m);
    assert.match(short.error, /weights and moments are kept on disk/);
    assert.deepEqual(short.bytes, plain.bytes);
    for (const more of [[], ["--no-correct-drift"]]) {
      const args = command("--json", "--out", OUT, ...more);
      const { driftCorrected } = JSON.parse((await runCommandLine(args, { cwd: folder })).out);
      assert.equal(driftCorrected, more.length === 0);
    }
    await runCommandLine(command("--memory", "1MB"), { cwd: folder });
    const [name] = Array.from(Deno.readDirSync(join(folder, "compressed")), ({ name }) => name);
    assert.match(name!, /^model-rate-12bit-no-drift-on-text-/);
  }));
