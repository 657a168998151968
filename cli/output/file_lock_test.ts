import assert from "node:assert";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { TemporaryFolder } from "../../data/testdata/temporary_folder.ts";
import { type FileLock, lockByProcessNumber, lockFile } from "./file_lock.ts";

/** The number of a process that has ended. */
function deadProcess(): number {
  return spawnSync("true").pid;
}

for (const [name, lock] of Object.entries({ lockFile, lockByProcessNumber })) {
  Deno.test(`${name}: one lock at a time, and none on what is not there`, () => {
    using folder = new TemporaryFolder();
    const file = join(folder.path, "lock");
    assert.equal(lock(file, false), "gone");
    assert.equal(lock(join(file, "in", "no", "folder"), true), "gone");
    const held = lock(file, true) as FileLock;
    if (name === "lockByProcessNumber") assert.equal(lock(file, true), "held");
    held.close();
    const next = lock(file, false) as FileLock;
    next.close();
    assert(existsSync(file));
  });
}

Deno.test("a number of a process that has ended holds nothing", () => {
  using folder = new TemporaryFolder();
  const file = join(folder.path, "lock");
  writeFileSync(file, `${deadProcess()}\n`);
  const lock = lockByProcessNumber(file, false) as FileLock;
  assert.equal(readFileSync(file, "utf8"), `${process.pid}\n`);
  rmSync(file);
  lock.close();
  assert(!existsSync(file));
});

Deno.test("an empty file is held until its process had time to write its number", () => {
  using folder = new TemporaryFolder();
  const file = join(folder.path, "lock");
  writeFileSync(file, "");
  assert.equal(lockByProcessNumber(file, true), "held");
  // A time of the future is of before the clock was set back.
  for (const milliseconds of [-60_000, 60_000]) {
    const then = new Date(Date.now() + milliseconds);
    writeFileSync(file, "");
    utimesSync(file, then, then);
    (lockByProcessNumber(file, true) as FileLock).close();
  }
});
