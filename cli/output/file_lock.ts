import { linkSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { randomBytes } from "node:crypto";
import process from "node:process";
import { errorCode } from "../../data/file_error.ts";

/** A lock that this process holds on a file. */
export interface FileLock {
  /** Gives the lock back; the file stays. */
  close(): void;
}

/** Why there is no lock: another process has it, there is no such file, or the disk has no locks. */
export type NoLock = "held" | "gone" | "unlockable";

/** Stands for a process that has ended. */
const NOBODY = "-";
/** How long an empty file may be that of a process which is about to write its number. */
const EMPTY_FOR_AT_MOST = 10_000;

/**
 * Takes the lock on a file, which is made where `create` says so. Deno has the system's locks, which
 * end however their process ends. Node has none: there the number in the file is that of the process
 * which holds it, and one that no longer runs holds nothing. So Node sees a lock of Deno's, and not
 * the other way round.
 */
export function lockFile(path: string, create: boolean): FileLock | NoLock {
  return typeof Deno === "undefined"
    ? lockByProcessNumber(path, create)
    : lockBySystem(path, create);
}

function lockBySystem(path: string, create: boolean): FileLock | NoLock {
  let file: Deno.FsFile;
  try {
    file = Deno.openSync(path, { create, read: true, write: true });
  } catch (error) {
    if (errorCode(error) === "ENOENT") return "gone";
    throw error;
  }
  const refuse = (reason: NoLock): NoLock => {
    file.close();
    return reason;
  };
  try {
    if (!file.tryLockSync(true)) return refuse("held");
  } catch {
    return refuse("unlockable");
  }
  // Whoever had the lock may have removed the file with it.
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined || found.ino !== file.statSync().ino) return refuse("gone");
  return file;
}

/** As {@linkcode lockBySystem}, by the number that stands in the file. */
export function lockByProcessNumber(path: string, create: boolean): FileLock | NoLock {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found !== undefined) {
    const holder = readFileSync(path, "utf8").trim();
    // A time of the future is of before the clock was set back.
    const isNew = holder === "" && Math.abs(Date.now() - found.mtimeMs) < EMPTY_FOR_AT_MOST;
    if (isNew || isRunning(holder)) return "held";
    if (!takeAway(path, holder)) return "held";
  } else if (!create) return "gone";
  // Linked rather than written: whoever finds the file finds the number in it.
  const draft = `${path}.${randomBytes(6).toString("hex")}`;
  try {
    writeFileSync(draft, `${process.pid}\n`);
    linkSync(draft, path);
  } catch (error) {
    const code = errorCode(error);
    if (code === "ENOENT") return "gone";
    if (code === "EEXIST") return "held";
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
  return { close: () => release(path) };
}

/** Removes a lock that nobody holds; false where another process was faster and holds it. */
function takeAway(path: string, holder: string): boolean {
  const aside = `${path}.${randomBytes(6).toString("hex")}`;
  try {
    renameSync(path, aside);
    if (readFileSync(aside, "utf8").trim() === holder) return true;
    linkSync(aside, path);
    return false;
  } catch (error) {
    if (["ENOENT", "EEXIST"].includes(errorCode(error))) return false;
    throw error;
  } finally {
    rmSync(aside, { force: true });
  }
}

function release(path: string): void {
  try {
    writeFileSync(path, `${NOBODY}\n`, { flag: "r+" });
  } catch (error) {
    // The folder that it was in has moved, on its way to be removed.
    if (errorCode(error) !== "ENOENT") throw error;
  }
}

/** Whether a process of this machine has a number. */
function isRunning(holder: string): boolean {
  const pid = Number(holder);
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errorCode(error) === "EPERM";
  }
}
