import assert from "node:assert";
import { existsSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { fileError } from "./file_error.ts";
import { InputError } from "./input_error.ts";
import { TemporaryFolder } from "./testdata/temporary_folder.ts";
import { removeUnfinishedFiles, writeFileAtomically } from "./write_file.ts";

const chunk = Uint8Array.of(1, 2, 3);

async function inFolder(run: (folder: string) => Promise<void> | void): Promise<void> {
  using folder = new TemporaryFolder();
  await run(folder.path);
}

const namesIn = (folder: string) => [...Deno.readDirSync(folder)].map(({ name }) => name);

Deno.test("chunks become a file, which replaces the one before, and nothing else stays", async () => {
  await inFolder(async (folder) => {
    const path = join(folder, "out.bin");
    await writeFileAtomically(path, [chunk, new Uint8Array(), chunk]);
    assert.deepStrictEqual(Deno.readFileSync(path), Uint8Array.of(1, 2, 3, 1, 2, 3));
    await writeFileAtomically(path, []);
    assert.equal(Deno.statSync(path).size, 0);
    assert.deepStrictEqual(namesIn(folder), ["out.bin"]);
  });
});

Deno.test("a failure half-way leaves the file before as it was, and nothing else", async () => {
  await inFolder(async (folder) => {
    const path = join(folder, "out.bin");
    Deno.writeTextFileSync(path, "before");
    async function* failing() {
      yield chunk;
      throw new Error("no more");
    }
    await assert.rejects(writeFileAtomically(path, failing()), /no more/);
    assert.equal(Deno.readTextFileSync(path), "before");
    assert.deepStrictEqual(namesIn(folder), ["out.bin"]);
  });
});

Deno.test("an abort stops the writing and leaves nothing", async () => {
  await inFolder(async (folder) => {
    const controller = new AbortController();
    let unfinished: string[] = [];
    function* chunks() {
      yield chunk;
      unfinished = namesIn(folder);
      controller.abort();
      yield chunk;
    }
    await assert.rejects(
      writeFileAtomically(join(folder, "out.bin"), chunks(), { signal: controller.signal }),
      { name: "AbortError" },
    );
    assert.equal(unfinished.length, 1);
    assert.match(unfinished[0]!, /^\.out\.bin\.tmp-/);
    assert.deepStrictEqual(namesIn(folder), []);
    const { signal } = controller;
    await assert.rejects(writeFileAtomically(join(folder, "a"), [], { signal }), {
      name: "AbortError",
    });
  });
});

Deno.test("unfinished files can be removed at once, as on Ctrl-C", async () => {
  await inFolder(async (folder) => {
    function* chunks() {
      yield chunk;
      assert.equal(namesIn(folder).length, 1);
      removeUnfinishedFiles();
      assert.equal(namesIn(folder).length, 0);
    }
    await assert.rejects(writeFileAtomically(join(folder, "out.bin"), chunks()), InputError);
  });
});

Deno.test("folders that cannot be written to are named", async () => {
  await inFolder(async (folder) => {
    const missing = join(folder, "missing");
    await assert.rejects(writeFileAtomically(join(missing, "out.bin"), [chunk]), {
      name: "InputError",
      message: `${missing}: the folder does not exist; create it first`,
    });
    await assert.rejects(writeFileAtomically(folder, [chunk]), {
      name: "InputError",
      message: `${folder}: is a folder; name a file`,
    });
    const file = join(folder, "file");
    await writeFileAtomically(file, [chunk]);
    await assert.rejects(writeFileAtomically(join(file, "out.bin"), [chunk]), {
      name: "InputError",
      message: `${file}: is not a folder; choose another folder`,
    });
  });
});

Deno.test({
  name: "a read-only folder is named",
  ignore: Deno.build.os === "windows",
  async fn() {
    // The administrator may write to any folder but those that the system makes up itself.
    const administrator = Deno.uid() === 0;
    using temporary = new TemporaryFolder();
    const folder = administrator ? "/sys" : temporary.path;
    if (!administrator) Deno.chmodSync(folder, 0o555);
    await assert.rejects(writeFileAtomically(join(folder, "out.bin"), [chunk]), {
      name: "InputError",
      message: new RegExp(`^${folder}: (permission denied|not permitted|is on a read-only)`),
    });
  },
});

Deno.test({
  name: "the error of a full disk says so",
  ignore: !existsSync("/dev/full"),
  fn() {
    const file = openSync("/dev/full", "w");
    try {
      writeSync(file, chunk);
    } catch (error) {
      const { name, message } = fileError("out.bin", error);
      assert.equal(name, "InputError");
      assert.equal(
        message,
        "out.bin: no space left on the disk; free some or choose another folder",
      );
      return;
    }
    assert.fail("/dev/full took a byte");
  },
});

/** Whether this system lets a user mount a small disk that only the user's processes see. */
function canMount(): boolean {
  if (Deno.build.os !== "linux" || !existsSync("/usr/bin/unshare")) return false;
  const args = ["-rm", "sh", "-c", "mount -t tmpfs -o size=64k tmpfs /mnt"];
  return new Deno.Command("unshare", { args, stderr: "null" }).outputSync().success;
}

Deno.test({
  name: "nothing is left on a full disk",
  ignore: !canMount(),
  fn() {
    const program = `
      import { writeFileAtomically } from ${JSON.stringify(import.meta.resolve("./write_file.ts"))};
      const chunks = Array.from({ length: 100 }, () => new Uint8Array(1000));
      await writeFileAtomically("/mnt/out.bin", chunks).catch((error) => {
        console.log(error.message, [...Deno.readDirSync("/mnt")].length);
      });
    `;
    const shell = 'mount -t tmpfs -o size=64k tmpfs /mnt && exec "$0" eval --no-lock "$1"';
    const args = ["-rm", "sh", "-c", shell, Deno.execPath(), program];
    const { stdout } = new Deno.Command("unshare", { args }).outputSync();
    assert.equal(
      new TextDecoder().decode(stdout),
      "/mnt/out.bin: no space left on the disk; free some or choose another folder 0\n",
    );
  },
});

Deno.test("Ctrl-C leaves nothing where its handler removes unfinished files", async () => {
  await inFolder(async (folder) => {
    const program = `
      import { removeUnfinishedFiles, writeFileAtomically } from ${
      JSON.stringify(import.meta.resolve("./write_file.ts"))
    };
      Deno.addSignalListener("SIGINT", () => {
        removeUnfinishedFiles();
        Deno.exit(1);
      });
      async function* chunks() {
        yield new Uint8Array(10);
        console.log("started");
        await new Promise((resolve) => setTimeout(resolve, 60_000));
      }
      await writeFileAtomically(${JSON.stringify(join(folder, "out.bin"))}, chunks());
    `;
    const child = new Deno.Command(Deno.execPath(), {
      args: ["eval", "--no-lock", program],
      stdout: "piped",
    }).spawn();
    const reader = child.stdout.getReader();
    await reader.read();
    assert.equal(namesIn(folder).length, 1);
    child.kill("SIGINT");
    assert.equal((await child.status).code, 1);
    await reader.cancel();
    assert.deepStrictEqual(namesIn(folder), []);
  });
});
