import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { randomBytes } from "node:crypto";
import { basename, dirname, join } from "node:path";
import process from "node:process";
import { errorCode, fileError } from "../../data/file_error.ts";
import { InputError } from "../../data/input_error.ts";
import { type FileLock, lockFile } from "./file_lock.ts";
import { isStageName, STAGE_ENDING, undoPlacing } from "./place.ts";

const LOCK = "lock";
/** How often a hidden folder may be removed by another run just when it is to be locked. */
const MOST_ATTEMPTS = 1000;

/**
 * A hidden folder in which a command's new files are until all of them are complete. Its process
 * holds a lock on it, which the system takes back however the process ends: so two runs cannot
 * write to one place, and a later run knows a folder that was left behind.
 */
export interface Stage {
  /** The hidden folder. */
  readonly folder: string;
  /** The folder in it that the new files are written to. */
  readonly files: string;
  /** Removes the hidden folder, and the folders that were made for it where they are empty. */
  release(): void;
}

/**
 * Opens the stage of `target`, beside it or, where it is a folder, `inside` it; messages call the
 * target `shown`. What killed runs left there and beside it is removed, and what they were about to
 * replace is put back. Throws {@linkcode InputError} if another run writes to the target.
 */
export function openStage(target: string, shown: string, inside: boolean): Stage {
  const [folder, other] = inside
    ? [insideOf(target), besideOf(target)]
    : [besideOf(target), insideOf(target)];
  const parent = dirname(folder);
  const firstMade = mkdirSync(parent, { recursive: true });
  let lock: FileLock | undefined;
  const release = () => {
    if (lock !== undefined) removeStage(folder, lock);
    removeEmptyFolders(parent, firstMade);
  };
  try {
    lock = takeLock(folder, shown);
    if (lock === undefined) throw busyError(folder, shown);
    if (isBusy(other)) throw busyError(other, shown);
    writeFileSync(join(folder, LOCK), `${process.pid}\n`);
    clear(folder, target);
    removeDeadStages(parent);
    if (!inside && isFolder(target)) removeDeadStages(target);
    const files = join(folder, "files");
    mkdirSync(files);
    return { folder, files, release };
  } catch (error) {
    release();
    throw error;
  }
}

function besideOf(target: string): string {
  return join(dirname(target), `.${basename(target)}${STAGE_ENDING}`);
}

function insideOf(target: string): string {
  return join(target, STAGE_ENDING);
}

/** The place that a stage is for. */
function targetOf(folder: string): string {
  const name = basename(folder);
  if (name === STAGE_ENDING) return dirname(folder);
  return join(dirname(folder), name.slice(1, -STAGE_ENDING.length));
}

/** Makes and locks a hidden folder; undefined where another run has locked it. */
function takeLock(folder: string, shown: string): FileLock | undefined {
  for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
    const file = tryLock(folder, shown, makeOne(folder) ? "new" : "old");
    if (file !== "gone") return file;
  }
  throw new InputError(`${shown}: ${folder} cannot be kept beside it; choose another folder`);
}

/** Makes a folder; false where it was there. */
function makeOne(folder: string): boolean {
  const make = () => {
    try {
      mkdirSync(folder);
      return true;
    } catch (error) {
      if (errorCode(error) === "EEXIST") return false;
      throw error;
    }
  };
  try {
    return make();
  } catch (error) {
    if (errorCode(error) !== "ENOENT") throw error;
    // A run that ends takes empty folders that it made with it. Some file systems say so of any new
    // folder: then it fails again.
    mkdirSync(dirname(folder), { recursive: true });
    return make();
  }
}

/**
 * Locks a hidden folder that was just made, that was there, or is a `"neighbor"`, which gets no lock
 * file if it has none; `"gone"` where it was removed meanwhile, undefined if it is locked.
 */
function tryLock(
  folder: string,
  shown: string,
  kind: "new" | "old" | "neighbor",
): FileLock | undefined | "gone" {
  const lock = lockFile(join(folder, LOCK), kind !== "neighbor");
  if (lock === "held") return undefined;
  if (lock !== "unlockable") return lock;
  // Some network disks have no locks: then a folder that was there cannot be told from a live one.
  if (kind === "new") return { close() {} };
  throw new InputError(
    `${shown}: ${folder} is there, of a run that is still going or was killed, and this disk has no ` +
      "locks to tell; remove it if no other run is going",
  );
}

/** Whether a run that is still going writes to a place; false where that cannot be told. */
export function isBeingWritten(target: string): boolean {
  try {
    return [besideOf(target), insideOf(target)].some(isBusy);
  } catch {
    return false;
  }
}

/** Whether a run that is still going has locked a hidden folder. */
function isBusy(folder: string): boolean {
  if (!existsSync(folder)) return false;
  const lock = tryLock(folder, folder, "neighbor");
  if (lock === undefined) return true;
  if (lock !== "gone") lock.close();
  return false;
}

function busyError(folder: string, shown: string): InputError {
  let pid = "";
  try {
    const holder = readFileSync(join(folder, LOCK), "utf8").trim();
    if (holder === String(process.pid)) {
      return new InputError(`${shown}: is named twice; give each output a place of its own`);
    }
    pid = ` (process ${holder})`;
  } catch {
    // It has just ended, or Windows keeps a locked file from being read.
  }
  return new InputError(
    `${shown}: another run of kanpress${pid} is writing it; wait for it to end, or name another place`,
  );
}

/** Undoes what a killed run had begun, and empties its folder. */
function clear(folder: string, target: string): void {
  undoPlacing(folder, target);
  for (const name of readdirSync(folder)) {
    if (name !== LOCK) rmSync(join(folder, name), { recursive: true, force: true });
  }
}

/** Removes the stages that killed runs left in a folder, of any place; none of that may fail. */
function removeDeadStages(parent: string): void {
  for (const name of readdirSync(parent)) {
    const folder = join(parent, name);
    if (!isStageName(name)) continue;
    try {
      const lock = tryLock(folder, folder, "neighbor");
      if (lock === undefined) continue;
      if (lock === "gone") {
        // Empty, if it was killed while it made or removed itself.
        rmdirSync(folder);
        continue;
      }
      clear(folder, targetOf(folder));
      removeStage(folder, lock);
    } catch {
      // Another user's, or one that cannot be told from a live one.
    }
  }
}

/** Removes a locked hidden folder; under another name, so that the next run can make its own. */
function removeStage(folder: string, lock: FileLock): void {
  let removed = join(dirname(folder), `.${randomBytes(6).toString("hex")}${STAGE_ENDING}`);
  try {
    renameSync(folder, removed);
  } catch {
    // Windows moves no folder in which a file is open.
    removed = folder;
  }
  try {
    for (const name of readdirSync(removed)) {
      if (name !== LOCK) rmSync(join(removed, name), { recursive: true, force: true });
    }
    // The lock goes last, so that a later run knows what is left if this one is killed.
    lock.close();
    rmSync(removed, { recursive: true, force: true });
  } catch {
    // A later run tries again; what was written is in its place.
  }
}

/** Removes `parent` and its parents up to `firstMade`, as far as they are empty. */
function removeEmptyFolders(parent: string, firstMade: string | undefined): void {
  if (firstMade === undefined) return;
  try {
    for (let folder = parent; folder.startsWith(firstMade); folder = dirname(folder)) {
      rmdirSync(folder);
    }
  } catch {
    // Something is in it: then it stays.
  }
}

/** As {@linkcode openStage}, beside the target or, where that cannot be, inside it. */
export function openStageNear(target: string, shown: string, inside: boolean): [Stage, boolean] {
  try {
    if (!inside) return [openStage(target, shown, false), false];
  } catch (error) {
    const mayNot = ["EACCES", "EPERM", "EROFS"].includes(errorCode(error));
    if (!mayNot || !isFolder(target)) throw fileError(shown, error);
  }
  try {
    return [openStage(target, shown, true), true];
  } catch (error) {
    throw fileError(shown, error);
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
