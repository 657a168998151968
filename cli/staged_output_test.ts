import assert from "node:assert";
import { join } from "node:path";
import { InputError } from "../data/mod.ts";
import { checkReplaceable, discardStages, stageFile, stageFolder } from "./staged_output.ts";

async function withFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function names(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map((entry) => entry.name).sort();
}

Deno.test("a staged file appears when it is published", () =>
  withFolder(async (folder) => {
    const stage = stageFile(join(folder, "a.bin"));
    await stage.publish(async (hidden) => {
      await Deno.writeTextFile(join(hidden, "a.bin"), "whole");
      assert.ok(!names(folder).includes("a.bin"));
    });
    assert.deepEqual(names(folder), ["a.bin"]);
    stage.discard();
    assert.equal(await Deno.readTextFile(join(folder, "a.bin")), "whole");
  }));

Deno.test("a discarded stage leaves nothing, its new parent folders included", () =>
  withFolder((folder) => {
    stageFolder(join(folder, "new", "deep", "model"));
    assert.deepEqual(names(folder), ["new"]);
    discardStages();
    assert.deepEqual(names(folder), []);
    return Promise.resolve();
  }));

Deno.test("a staged folder replaces files of the same name and leaves others alone", () =>
  withFolder(async (folder) => {
    const target = join(folder, "model");
    await Deno.mkdir(target);
    await Deno.writeTextFile(join(target, "config.json"), "old");
    await Deno.writeTextFile(join(target, "notes.txt"), "mine");
    const stage = stageFolder(target);
    await stage.publish((hidden) => Deno.writeTextFile(join(hidden, "config.json"), "new"));
    assert.deepEqual(names(folder), ["model"]);
    assert.deepEqual(names(target), ["config.json", "notes.txt"]);
    assert.equal(await Deno.readTextFile(join(target, "config.json")), "new");
  }));

Deno.test("a place that cannot be written is refused at once", () =>
  withFolder(async (folder) => {
    const file = join(folder, "file");
    await Deno.writeTextFile(file, "x");
    assert.throws(() => stageFile(join(file, "child", "a.bin")), { name: "InputError" });
    assert.deepEqual(names(folder), ["file"]);
  }));

Deno.test("a failure while writing names the place, not the hidden folder", () =>
  withFolder(async (folder) => {
    const stage = stageFolder(join(folder, "model"));
    const write = (hidden: string) => Promise.reject(new InputError(`${hidden}/a.bin: full`));
    await assert.rejects(stage.publish(write), { message: `${folder}/model/a.bin: full` });
    stage.discard();
    assert.deepEqual(names(folder), []);
  }));

Deno.test("what is not ours is not replaced", () =>
  withFolder(async (folder) => {
    const file = join(folder, "file");
    const never = () => Promise.resolve(false);
    assert.equal(await checkReplaceable(file, never), false);
    assert.equal(await checkReplaceable(folder, never), false);
    await Deno.writeTextFile(file, "x");
    await assert.rejects(checkReplaceable(file, never), /not written by kanpress/);
    assert.equal(await checkReplaceable(file, () => Promise.resolve(true)), true);
  }));
