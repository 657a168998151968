import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

/** How the hidden folders of stages end; one within an output folder is called this alone. */
export const STAGE_ENDING = ".tmp-kanpress";

/** Whether a name in a folder is that of a stage. */
export function isStageName(name: string): boolean {
  return name.startsWith(".") && name.endsWith(STAGE_ENDING);
}

/** In a stage: what makes room for the new files, until all of them are in place. */
const OLD = "old";
/** In a stage: what has made room for good. */
const TRASH = "trash";
/** In a stage, while entries are moved one by one: the names of the new ones. */
const JOURNAL = "journal.json";

/** What systems put into folders by themselves: nobody's files. */
const SYSTEM_NAMES = new Set([".DS_Store", "Thumbs.db", "desktop.ini", "lost+found"]);

/** The names in a folder that are files or folders of somebody: kanpress or the user. */
export function ownedNames(folder: string): string[] {
  return readdirSync(folder).filter((name) => !isStageName(name) && !SYSTEM_NAMES.has(name));
}

/** Puts a new file in the place of a file or of nothing. */
export function placeFile(file: string, target: string): void {
  keepMode(target, file);
  renameSync(file, target);
}

/**
 * Puts the folder `files` of a stage in the place of a folder or of nothing, as one swap. Nothing
 * waits in here, so that no signal comes in between; {@linkcode undoPlacing} mends what a killed
 * process left, and an error leaves everything as it was.
 */
export function swapFolder(stage: string, files: string, target: string): void {
  if (!existsSync(target)) return renameSync(files, target);
  keepMode(target, files);
  const old = join(stage, OLD);
  renameSync(target, old);
  try {
    renameSync(files, target);
  } catch (error) {
    renameSync(old, target);
    throw error;
  }
  discardOld(stage);
}

/**
 * As {@linkcode swapFolder} for a folder that itself must stay, such as a mount point: what is in
 * it makes room, then the new files are moved into it. A journal says how far that went.
 */
export function refillFolder(stage: string, files: string, target: string): void {
  const names = readdirSync(files);
  mkdirSync(join(stage, OLD), { recursive: true });
  writeFileSync(join(stage, JOURNAL), JSON.stringify(names));
  try {
    for (const name of ownedNames(target)) renameSync(join(target, name), join(stage, OLD, name));
    for (const name of names) renameSync(join(files, name), join(target, name));
    // From here on it is done.
    rmSync(join(stage, JOURNAL));
  } catch (error) {
    undoPlacing(stage, target);
    throw error;
  }
  discardOld(stage);
}

/** Undoes a placing that was begun in a stage and not ended. */
export function undoPlacing(stage: string, target: string): void {
  const old = join(stage, OLD), journal = join(stage, JOURNAL);
  if (existsSync(journal)) {
    for (const name of namesOf(readFileSync(journal, "utf8"))) {
      const moved = join(target, name), origin = join(stage, "files", name);
      if (existsSync(moved) && !existsSync(origin)) renameSync(moved, origin);
    }
    if (existsSync(old)) {
      for (const name of readdirSync(old)) renameSync(join(old, name), join(target, name));
    }
    rmSync(journal);
  } else if (existsSync(old)) {
    if (existsSync(target)) discardOld(stage);
    else renameSync(old, target);
  }
}

/** Removes what made room; first by its name, so that no later run takes the rest for the whole. */
function discardOld(stage: string): void {
  const trash = join(stage, TRASH);
  renameSync(join(stage, OLD), trash);
  try {
    rmSync(trash, { recursive: true, force: true });
  } catch {
    // The new files are in place; the rest goes with the hidden folder.
  }
}

/** Names in a journal; none of one that is cut off, which was not yet followed by any move. */
function namesOf(journal: string): string[] {
  try {
    const names: unknown = JSON.parse(journal);
    return Array.isArray(names) ? names.filter((name) => typeof name === "string") : [];
  } catch {
    return [];
  }
}

/** Gives a new file or folder the permissions of the one that it replaces. */
function keepMode(target: string, replacement: string): void {
  const found = statSync(target, { throwIfNoEntry: false });
  if (found === undefined) return;
  try {
    chmodSync(replacement, found.mode & 0o777);
  } catch {
    // Disks without permissions, or Windows.
  }
}

/** Whether files can be moved from beside a folder into it: not where another disk begins. */
export function isMovableInto(stage: string, target: string): boolean {
  const probe = join(stage, "probe"), moved = join(target, ".probe.tmp-kanpress");
  writeFileSync(probe, "");
  try {
    renameSync(probe, moved);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EXDEV") return false;
    throw error;
  } finally {
    rmSync(probe, { force: true });
    rmSync(moved, { force: true });
  }
  return true;
}
