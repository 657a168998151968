import assert from "node:assert";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { TemporaryFolder } from "../../data/testdata/temporary_folder.ts";
import { openOutput, type OutputKind, releaseOutputs } from "./output.ts";

const anything: OutputKind = {
  option: "--out",
  shape: "folder",
  foreign: () => Promise.resolve(undefined),
};

async function withFolder(work: (folder: string) => Promise<void>): Promise<void> {
  using folder = new TemporaryFolder();
  try {
    await work(folder.path);
  } finally {
    releaseOutputs();
  }
}

function names(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map((entry) => entry.name).sort();
}

/** Writes files with their own names as text, and `version` after it. */
function write(folder: string, files: readonly string[], version = ""): void {
  Deno.mkdirSync(folder, { recursive: true });
  for (const name of files) Deno.writeTextFileSync(join(folder, name), name + version);
}

/** A process that has begun to write `path` and waits. */
async function startWriter(path: string): Promise<Deno.ChildProcess> {
  const program = `
    import { openOutput } from ${JSON.stringify(import.meta.resolve("./output.ts"))};
    const foreign = () => Promise.resolve(undefined);
    const output = await openOutput(${JSON.stringify(path)}, {
      option: "--out",
      shape: "folder",
      foreign,
    });
    await output.publish(async (folder) => {
      await Deno.writeTextFile(folder + "/part", "partial");
      console.log("begun");
      await new Promise((resolve) => setTimeout(resolve, 600_000));
    });
  `;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-lock", program],
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.getReader();
  await reader.read();
  await reader.cancel();
  return child;
}

Deno.test("what kill -9 leaves is hidden, locks nothing, and goes with the next run", () =>
  withFolder(async (folder) => {
    const path = join(folder, "model"), other = join(folder, "other");
    write(path, ["a"]);
    const child = await startWriter(path);
    try {
      await assert.rejects(
        openOutput(path, anything),
        new RegExp(`another run of kanpress \\(process ${child.pid}\\) is writing it`),
      );
      // A run that goes on is left alone by one that writes another place beside it.
      (await openOutput(other, anything)).release();
      assert.deepEqual(names(folder), [".model.tmp-kanpress", "model"]);
    } finally {
      child.kill("SIGKILL");
      await child.status;
    }
    assert.deepEqual(names(path), ["a"]);
    assert.deepEqual(names(folder), [".model.tmp-kanpress", "model"]);
    (await openOutput(other, anything)).release();
    assert.deepEqual(names(folder), ["model"]);
  }));

Deno.test("what was killed before it had a lock, or after it had none, goes too", () =>
  withFolder(async (folder) => {
    Deno.mkdirSync(join(folder, ".model.tmp-kanpress"));
    Deno.mkdirSync(join(folder, ".0123456789ab.tmp-kanpress"));
    (await openOutput(join(folder, "model"), anything)).release();
    assert.deepEqual(names(folder), []);
  }));

Deno.test("runs that hurry for one place have it one after the other", () =>
  withFolder(async (folder) => {
    const program = `
      import { openOutput } from ${JSON.stringify(import.meta.resolve("./output.ts"))};
      const foreign = () => Promise.resolve(undefined);
      const kind = { option: "--out", shape: "folder", foreign };
      const held = ${JSON.stringify(join(folder, "held"))};
      for (let done = 0; done < 20;) {
        try {
          using output = await openOutput(${JSON.stringify(join(folder, "model"))}, kind);
          // Fails if another process holds the place too.
          await Deno.mkdir(held);
          await output.publish((hidden) => Deno.writeTextFile(hidden + "/a", "a"));
          await Deno.remove(held);
          done++;
        } catch (error) {
          if (!/another run of kanpress/.test(error.message)) throw error;
          await new Promise((resolve) => setTimeout(resolve, 1));
        }
      }
    `;
    const args = ["eval", "--no-lock", program];
    const runs = Array.from({ length: 3 }, () => new Deno.Command(Deno.execPath(), { args }));
    const ends = await Promise.all(runs.map((run) => run.output()));
    for (const { code, stderr } of ends) assert.equal(code, 0, new TextDecoder().decode(stderr));
    assert.deepEqual(names(folder), ["model"]);
  }));

Deno.test("a swap that was killed between its two steps is undone, or was complete", () =>
  withFolder(async (folder) => {
    const path = join(folder, "model"), stage = join(folder, ".model.tmp-kanpress");
    write(stage, ["lock"]);
    write(join(stage, "old"), ["a"]);
    write(join(stage, "files"), ["b"]);
    (await openOutput(path, anything)).release();
    assert.deepEqual(names(path), ["a"]);
    write(stage, ["lock"]);
    write(join(stage, "old"), ["a"], "old");
    (await openOutput(join(folder, "other"), anything)).release();
    assert.deepEqual(names(folder), ["model"]);
    assert.equal(await Deno.readTextFile(join(path, "a")), "a");
    // What is being removed may be in parts already: it must not come back.
    await Deno.remove(path, { recursive: true });
    write(join(stage, "trash"), ["a"]);
    (await openOutput(path, anything)).release();
    assert.deepEqual(names(folder), []);
  }));

Deno.test("a refill that was killed while it wrote what it was going to do is undone", () =>
  withFolder(async (folder) => {
    const stage = join(folder, ".tmp-kanpress");
    // What is left of ["[1] a"] is no JSON, though it ends as a list does.
    for (const journal of ["", "[", '["[1]']) {
      write(folder, ["a"], " old");
      write(stage, ["lock"]);
      write(join(stage, "files"), ["[1] a"], " new");
      write(join(stage, "old"), []);
      Deno.writeTextFileSync(join(stage, "journal.json"), journal);
      (await openOutput(folder, anything)).release();
      assert.deepEqual(names(folder), ["a"]);
      assert.equal(Deno.readTextFileSync(join(folder, "a")), "a old");
    }
  }));

Deno.test("a refill that was killed at any of its steps is undone", () =>
  withFolder(async (folder) => {
    const stage = join(folder, ".tmp-kanpress");
    const old = ["both", "old"], fresh = ["both", "new"];
    for (let steps = 0; steps <= old.length + fresh.length; steps++) {
      write(folder, old, " old");
      write(stage, ["lock"]);
      write(join(stage, "files"), fresh, " new");
      write(join(stage, "old"), []);
      Deno.writeTextFileSync(join(stage, "journal.json"), JSON.stringify(fresh));
      for (const name of old.slice(0, steps)) {
        Deno.renameSync(join(folder, name), join(stage, "old", name));
      }
      for (const name of fresh.slice(0, Math.max(0, steps - old.length))) {
        Deno.renameSync(join(stage, "files", name), join(folder, name));
      }
      (await openOutput(folder, anything)).release();
      assert.deepEqual(names(folder), old, `after ${steps} steps`);
      for (const name of old) {
        assert.equal(Deno.readTextFileSync(join(folder, name)), `${name} old`, `${steps}`);
      }
      assert.ok(!existsSync(stage));
    }
  }));
