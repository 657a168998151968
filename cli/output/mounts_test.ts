import assert from "node:assert";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { TemporaryFolder } from "../../data/testdata/temporary_folder.ts";
import { openOutput } from "./output.ts";

/** Whether this system lets a user mount disks that only the user's processes see. */
function canMount(): boolean {
  if (Deno.build.os !== "linux" || !existsSync("/usr/bin/unshare")) return false;
  const args = ["-rm", "sh", "-c", "mount -t tmpfs -o size=64k tmpfs /mnt"];
  return new Deno.Command("unshare", { args, stderr: "null" }).outputSync().success;
}

/**
 * Has a process of its own mount something by `shell`, in a folder that it is in, and write `bytes`
 * bytes each into the files `a` and `b` of the output folder or file `path`. Gives what it said, and
 * what was there in the end.
 */
async function writeMounted(
  shell: string,
  path: string,
  { bytes = 10, shape = "folder" }: { bytes?: number; shape?: "folder" | "file" } = {},
): Promise<string[]> {
  using folder = new TemporaryFolder();
  const program = `
    import { openOutput } from ${JSON.stringify(import.meta.resolve("./output.ts"))};
    import { writeFileAtomically } from ${
    JSON.stringify(import.meta.resolve("../../data/write_file.ts"))
  };
    const path = ${JSON.stringify(path)};
    const foreign = () => Promise.resolve(undefined);
    const kind = { option: "--out", shape: ${JSON.stringify(shape)}, foreign };
    const names = shape => shape === "file" ? [path] : ["a", "b"];
    try {
      using output = await openOutput(path, kind);
      console.log("opened");
      await output.publish(async (folder) => {
        for (const name of names(kind.shape)) {
          await writeFileAtomically(folder + "/" + name, [new Uint8Array(${bytes})]);
        }
      });
      console.log("published");
    } catch (error) {
      console.log(error.name + ": " + error.message);
    }
    const list = (folder) => [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) =>
      isDirectory ? [name + "/", ...list(folder + "/" + name)] : [name]);
    console.log(list(".").sort().join(" "));
  `;
  const args = ["-rm", "sh", "-ec", `${shell}; exec "$0" eval --no-lock "$1"`];
  const command = new Deno.Command("unshare", {
    args: [...args, Deno.execPath(), program],
    cwd: folder.path,
    stderr: "inherit",
  });
  const { stdout } = await command.output();
  return new TextDecoder().decode(stdout).trim().split("\n");
}

const mounting = { ignore: !canMount() };

Deno.test(
  "a folder that is a mount point, of another disk or of this one, is filled",
  mounting,
  async () => {
    const tmpfs = "mkdir out && mount -t tmpfs tmpfs out";
    const bind = "mkdir out from && mount --bind from out";
    const filled = ["opened", "published"];
    assert.deepEqual(await writeMounted(tmpfs, "out"), [...filled, "a b out/"]);
    assert.deepEqual(await writeMounted(`${tmpfs} && touch out/old`, "out"), [
      ...filled,
      "a b out/",
    ]);
    assert.deepEqual(await writeMounted(`${bind} && touch out/old`, "out"), [
      ...filled,
      "a a b b from/ out/",
    ]);
  },
);

Deno.test("a folder in one that is read-only is filled", mounting, async () => {
  const shell = "mkdir -p disk/out && touch disk/out/old && mount --bind disk disk && " +
    "mount --bind disk/out disk/out && mount -o remount,ro,bind disk";
  assert.deepEqual(await writeMounted(shell, "disk/out"), [
    "opened",
    "published",
    "a b disk/ out/",
  ]);
  assert.deepEqual(await writeMounted(shell, "disk/new"), [
    "InputError: disk/new: is on a read-only file system; choose another folder",
    "disk/ old out/",
  ]);
});

Deno.test("a file that is a mount point is refused before the work", mounting, async () => {
  const shell = "echo old > from && touch out && mount --bind from out";
  assert.deepEqual(await writeMounted(shell, "out", { shape: "file" }), [
    "InputError: out: is a mount point and cannot be replaced; name another file",
    "from out",
  ]);
});

Deno.test("a full disk leaves what was there", mounting, async () => {
  const full =
    /^InputError: out\/b: no space left on the disk; free some or choose another folder$/;
  for (const setUp of ["mount -t tmpfs -o size=64k tmpfs out && touch out/old", "touch out/old"]) {
    // A disk that is the output folder, and one that the folder is on.
    const isMount = setUp.startsWith("mount");
    const shell = isMount
      ? `mkdir out && ${setUp}`
      : `mount -t tmpfs -o size=64k tmpfs . && cd "$PWD" && mkdir out && ${setUp}`;
    const [opened, error = "", left] = await writeMounted(shell, "out", { bytes: 40_000 });
    assert.equal(opened, "opened");
    assert.match(error, full);
    assert.equal(left, "old out/");
  }
});

Deno.test("a disk without a byte left is told of before the work", mounting, async () => {
  const shell = 'mount -t tmpfs -o size=64k tmpfs . && cd "$PWD" && ' +
    "(cat /dev/zero > fill 2>/dev/null || true)";
  assert.deepEqual(await writeMounted(shell, "out"), [
    "InputError: out: no space left on the disk; free some or choose another folder",
    "fill",
  ]);
});

Deno.test("a folder in one that the user may not write to is filled", {
  // The administrator may write everywhere.
  ignore: Deno.build.os === "windows" || Deno.uid() === 0,
}, async () => {
  using folder = new TemporaryFolder();
  const out = join(folder.path, "out");
  await Deno.mkdir(out);
  await Deno.chmod(folder.path, 0o555);
  try {
    const foreign = () => Promise.resolve(undefined);
    using output = await openOutput(out, { option: "--out", shape: "folder", foreign });
    await output.publish((hidden) => Deno.writeTextFile(join(hidden, "a"), "a"));
    output.release();
    assert.deepEqual([...Deno.readDirSync(out)].map(({ name }) => name), ["a"]);
  } finally {
    await Deno.chmod(folder.path, 0o755);
  }
});
