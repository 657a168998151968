import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, rmdirSync, rmSync } from "node:fs";
import { readdir, rename, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { fileError } from "../data/file_error.ts";
import { InputError } from "../data/mod.ts";

/**
 * A hidden folder beside the place where a command's output is to stand. Files are written into it
 * and moved to their place when all of them are complete, so that whatever happens in between (an
 * error, a full disk, Ctrl-C) leaves no partial output.
 */
export interface StagedOutput {
  /** Has `write` write into the folder that it is given, then moves the files to their place. */
  publish(write: (folder: string) => Promise<void>): Promise<void>;
  /** Removes what was not published, and the parent folders that were made for it. */
  discard(): void;
}

/** Stages that are neither published nor discarded: what an interrupt has to clean up. */
const openStages = new Set<StagedOutput>();

/** Discards every stage that is still open; synchronous, for the end of the process. */
export function discardStages(): void {
  for (const stage of [...openStages]) stage.discard();
}

/**
 * Stages one file, which is to be written into the stage under its own name. Fails at once, before
 * any long work, where the place cannot be written.
 */
export function stageFile(path: string): StagedOutput {
  const move = (folder: string) => rename(join(folder, basename(path)), path);
  return openStage(path, dirname(path), move);
}

/**
 * Stages a folder. A new folder appears as a whole; into one that is there already, files are moved
 * one by one, replacing those of the same name and leaving others alone.
 */
export function stageFolder(path: string): StagedOutput {
  return openStage(path, path, async (folder) => {
    if (!existsSync(path)) return await rename(folder, path);
    await moveInto(path, folder);
  });
}

/** Moves the files of a folder and its subfolders into another, replacing those of the same name. */
async function moveInto(target: string, folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const [from, to] = [join(folder, entry.name), join(target, entry.name)];
    if (entry.isDirectory() && existsSync(to)) await moveInto(to, from);
    else await rename(from, to);
  }
}

/** `shown` is the folder that messages name in place of the hidden one. */
function openStage(
  path: string,
  shown: string,
  move: (folder: string) => Promise<void>,
): StagedOutput {
  const target = resolve(path);
  const parent = dirname(target);
  const folder = join(parent, `.${basename(target)}.tmp-${randomBytes(6).toString("hex")}`);
  let firstMade: string | undefined;
  try {
    firstMade = mkdirSync(parent, { recursive: true });
    mkdirSync(folder);
  } catch (error) {
    removeEmptyFolders(parent, firstMade);
    throw fileError(path, error);
  }
  const stage: StagedOutput = {
    async publish(write) {
      try {
        await write(folder);
        await move(folder);
      } catch (error) {
        if (!(error instanceof InputError)) throw fileError(path, error);
        throw new InputError(error.message.replaceAll(folder, shown), { cause: error });
      }
      openStages.delete(stage);
      rmSync(folder, { recursive: true, force: true });
    },
    discard() {
      if (!openStages.delete(stage)) return;
      rmSync(folder, { recursive: true, force: true });
      removeEmptyFolders(parent, firstMade);
    },
  };
  openStages.add(stage);
  return stage;
}

/** Removes `parent` and its parents up to `firstMade`, as far as they are empty. */
function removeEmptyFolders(parent: string, firstMade: string | undefined): void {
  if (firstMade === undefined) return;
  try {
    for (let folder = parent; folder.startsWith(firstMade); folder = dirname(folder)) {
      rmdirSync(folder);
    }
  } catch {
    // Somebody else has put something into it: then it stays.
  }
}

/**
 * Throws {@linkcode InputError} where `path` is taken by something that kanpress did not write,
 * as `isOurs` judges it; `option` is the one that named it. An empty folder is free. Gives back whether something of ours is there.
 */
export async function checkReplaceable(
  path: string,
  isOurs: (path: string) => Promise<boolean>,
  option: string = "--out",
): Promise<boolean> {
  let found;
  try {
    found = await stat(path);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return false;
    throw fileError(path, error);
  }
  if (found.isDirectory() && (await readdir(path)).length === 0) return false;
  if (await isOurs(path)) return true;
  throw new InputError(
    `${path}: exists and was not written by kanpress; choose another ${option} or remove it`,
  );
}
