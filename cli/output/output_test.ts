import assert from "node:assert";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { InputError } from "../../data/input_error.ts";
import { TemporaryFolder } from "../../data/testdata/temporary_folder.ts";
import { openOutput, type OutputKind, publishedOutputs, releaseOutputs } from "./output.ts";
import { inWorkingFolder } from "../testdata/working_folder.ts";

const text = (file: string) => Deno.readTextFile(file);

/** A kind whose files begin with `ours`; in a folder, all of them must. */
function kind(shape: "file" | "folder"): OutputKind {
  const isOurs = async (file: string) => (await text(file)).startsWith("ours");
  return {
    option: "--out",
    shape,
    async foreign(path) {
      if (shape === "file") return await isOurs(path) ? undefined : "is foreign";
      for (const name of names(path)) {
        if (!name.endsWith(".tmp-kanpress") && !await isOurs(join(path, name))) {
          return `has ${name}, which is foreign`;
        }
      }
      return undefined;
    },
  };
}

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

/** Writes files of these names, with the text `ours`, its name and `version`. */
function writer(files: readonly string[], version = "") {
  return async (folder: string) => {
    for (const name of files) {
      await Deno.writeTextFile(join(folder, name), `ours ${name}${version}`);
    }
  };
}

Deno.test("a file appears when it is published, and nothing else stays", () =>
  withFolder(async (folder) => {
    const path = join(folder, "new", "deep", "a.bin");
    using output = await openOutput(path, kind("file"));
    assert.equal(output.replaces, false);
    await output.publish(async (hidden) => {
      await writer(["a.bin"])(hidden);
      assert.ok(!existsSync(path));
    });
    assert.ok(publishedOutputs().includes(path));
    output.release();
    assert.deepEqual(names(join(folder, "new", "deep")), ["a.bin"]);
    using again = await openOutput(path, kind("file"));
    assert.equal(again.replaces, true);
    await again.publish(writer(["a.bin"], "2"));
    assert.equal(await text(path), "ours a.bin2");
  }));

Deno.test("a place that is not written to is left as it was, new parents included", () =>
  withFolder(async (folder) => {
    await openOutput(join(folder, "new", "deep", "model"), kind("folder"));
    assert.deepEqual(names(folder), ["new"]);
    releaseOutputs();
    assert.deepEqual(names(folder), []);
  }));

Deno.test("a folder is swapped as a whole: nothing of the old one stays", () =>
  withFolder(async (folder) => {
    const path = join(folder, "model");
    using first = await openOutput(path, kind("folder"));
    await first.publish(writer(["config.json", "merges.txt"]));
    await first.publishWithin("README.md", (file) => Deno.writeTextFile(file, "ours, later"));
    assert.deepEqual(names(path), ["README.md", "config.json", "merges.txt"]);
    first.release();
    Deno.chmodSync(path, 0o750);
    using second = await openOutput(path, kind("folder"));
    assert.equal(second.replaces, true);
    await second.publish(writer(["config.json", "vocab.txt"], "2"));
    second.release();
    assert.deepEqual(names(path), ["config.json", "vocab.txt"]);
    assert.equal(await text(join(path, "config.json")), "ours config.json2");
    assert.equal(Deno.statSync(path).mode! & 0o777, 0o750);
    assert.deepEqual(names(folder), ["model"]);
  }));

Deno.test("what is foreign is refused, before the work and where it comes during it", () =>
  withFolder(async (folder) => {
    const path = join(folder, "model"), file = join(folder, "notes.txt");
    await Deno.mkdir(path);
    using output = await openOutput(path, kind("folder"));
    await Deno.writeTextFile(join(path, "notes.txt"), "mine");
    await assert.rejects(output.publish(writer(["a"])), {
      name: "InputError",
      message: `${path}: has notes.txt, which is foreign; choose another --out or remove it`,
    });
    output.release();
    await assert.rejects(openOutput(path, kind("folder")), /has notes.txt, which is foreign/);
    await Deno.writeTextFile(file, "mine");
    await assert.rejects(openOutput(file, kind("file")), /is foreign; choose another --out/);
    await assert.rejects(openOutput(file, kind("folder")), /is a file; name a folder/);
    await assert.rejects(openOutput(path, kind("file")), /is a folder; name a file/);
    assert.deepEqual(names(folder), ["model", "notes.txt"]);
    assert.equal(await text(join(path, "notes.txt")), "mine");
  }));

Deno.test("devices and pipes are not replaced", {
  ignore: Deno.build.os === "windows",
}, async () => {
  for (const shape of ["file", "folder"] as const) {
    await assert.rejects(openOutput("/dev/null", kind(shape)), {
      message: "/dev/null: is neither a file nor a folder; name another place",
    });
  }
});

Deno.test("a place that cannot be written is refused at once", () =>
  withFolder(async (folder) => {
    const file = join(folder, "file");
    await Deno.writeTextFile(file, "x");
    await assert.rejects(openOutput(join(file, "child", "a.bin"), kind("file")), {
      name: "InputError",
    });
    assert.deepEqual(names(folder), ["file"]);
    if (Deno.build.os !== "linux") return;
    // Says of every new folder that it does not exist.
    await assert.rejects(openOutput("/proc/out", kind("folder")), /^InputError: \/proc\/out: /);
  }));

Deno.test("links are followed, and refused where they lead nowhere", () =>
  withFolder(async (folder) => {
    const link = join(folder, "link");
    await Deno.symlink("target", link);
    await assert.rejects(openOutput(link, kind("folder")), {
      message: `${link}: is a symbolic link to target, which does not exist; ` +
        "remove the link or make what it leads to",
    });
    await assert.rejects(openOutput(join(link, "new", "model"), kind("folder")), {
      message: `${link}/new/model: ${link} is a symbolic link to target, which does not exist; ` +
        "remove the link or make what it leads to",
    });
    await Deno.mkdir(join(folder, "target"));
    using output = await openOutput(link, kind("folder"));
    await output.publish(writer(["a"]));
    output.release();
    assert.ok(Deno.lstatSync(link).isSymlink);
    assert.deepEqual(names(join(folder, "target")), ["a"]);
  }));

Deno.test("two runs cannot write to one place, whichever way they name it", () =>
  withFolder(async (folder) => {
    const path = join(folder, "model");
    await Deno.mkdir(path);
    using output = await openOutput(path, kind("folder"));
    const busy = { message: /model\/?: is named twice|^\.: is named twice/ };
    await assert.rejects(openOutput(`${folder}/./model/`, kind("folder")), busy);
    // From within it would be filled in place, with a hidden folder inside.
    await inWorkingFolder(path, () => assert.rejects(openOutput(".", kind("folder")), busy));
    output.release();
    (await openOutput(path, kind("folder"))).release();
    assert.deepEqual(names(path), []);
  }));

Deno.test("a folder that is worked in stays the same folder", () =>
  withFolder(async (folder) => {
    await writer(["old", "kept"])(folder);
    const inode = Deno.statSync(folder).ino;
    await inWorkingFolder(folder, async () => {
      using output = await openOutput(".", kind("folder"));
      await output.publish(writer(["kept", "new"], "2"));
    });
    assert.deepEqual(names(folder), ["kept", "new"]);
    assert.equal(await text(join(folder, "kept")), "ours kept2");
    assert.equal(Deno.statSync(folder).ino, inode);
  }));

Deno.test("a failure while writing names the place, not the hidden folder", () =>
  withFolder(async (folder) => {
    const path = join(folder, "model");
    using output = await openOutput(path, kind("folder"));
    const write = (hidden: string) => Promise.reject(new InputError(`${hidden}/a.bin: full`));
    await assert.rejects(output.publish(write), { message: `${path}/a.bin: full` });
    output.release();
    assert.deepEqual(names(folder), []);
  }));
