import {
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import process from "node:process";
import { errorCode, fileError } from "../../data/file_error.ts";
import { InputError } from "../../data/input_error.ts";
import { isMovableInto, ownedNames, placeFile, refillFolder, swapFolder } from "./place.ts";
import { openStageNear, type Stage } from "./stage.ts";

/** A kind of file or folder that commands write. */
export interface OutputKind {
  /** The option that names it, for messages. */
  readonly option: "--out" | "--plot" | "--log-samples" | "--build";
  /** Whether it is one file, or a folder that is kanpress's own altogether. */
  readonly shape: "file" | "folder";
  /**
   * Says what at `path` kanpress did not write, such as `"has notes.txt, which …"`; undefined where
   * all of it may be replaced. Not asked of a folder or file that is empty.
   */
  foreign(path: string): Promise<string | undefined>;
}

/** A place that this run alone writes to, from {@linkcode openOutput} until it is released. */
export interface Output extends Disposable {
  /** A hidden folder near the place, for files that nobody needs when the command has ended. */
  readonly scratch: string;
  /** Whether an earlier output of kanpress stands there. */
  readonly replaces: boolean;
  /**
   * Has `write` write the file, under its own name, or the folder's files into the hidden folder
   * that it is given, then puts them in their place at once. Whatever happens in between (an error,
   * a full disk, Ctrl-C) leaves what was there before.
   */
  publish(write: (folder: string) => Promise<void>): Promise<void>;
  /** As {@linkcode Output.publish} for one file of a folder, whose other files stay. */
  publishWithin(name: string, write: (path: string) => Promise<void>): Promise<void>;
  /** Removes what is hidden, lets other runs write, and takes empty new folders away. */
  release(): void;
}

const openOutputs = new Set<Output>();
const published = new Set<string>();

/** Releases every place that is still open: for the end of the process. */
export function releaseOutputs(): void {
  for (const output of [...openOutputs]) output.release();
}

/** The files and folders that this process has put in their place, as the user calls them. */
export function publishedOutputs(): readonly string[] {
  return [...published];
}

/**
 * Opens the place that a command is to write to; every file that a user names goes through here.
 * Throws {@linkcode InputError} now, before any work, where the place cannot be written, holds
 * something that kanpress did not write, or is being written by another run.
 */
export async function openOutput(path: string, kind: OutputKind): Promise<Output> {
  const target = followLink(path);
  let [stage, isInside] = openStageNear(target, path, isAround(target));
  try {
    const replaces = await checkStanding(path, target, kind);
    if (kind.shape === "file") {
      if (replaces) checkFileMovable(path, target, stage);
    } else if (!isInside && isFolder(target) && !isMovableInto(stage.folder, target)) {
      // Another disk: the files must be on it before they can be moved into the folder.
      stage.release();
      [stage, isInside] = openStageNear(target, path, true);
    }
    return track(path, target, kind, stage, replaces, isInside);
  } catch (error) {
    stage.release();
    throw fileError(path, error);
  }
}

/**
 * The path that a symbolic link leads to, or the path itself. Throws {@linkcode InputError} if it
 * or a folder on the way leads nowhere, and for devices and pipes.
 */
function followLink(path: string): string {
  const absolute = resolve(path);
  try {
    const found = statSync(absolute, { throwIfNoEntry: false });
    if (found !== undefined) {
      if (found.isFile() || found.isDirectory()) return realpathOfLink(absolute);
      throw new InputError(`${path}: is neither a file nor a folder; name another place`);
    }
    for (let part = absolute; part !== dirname(part); part = dirname(part)) {
      if (lstatSync(part, { throwIfNoEntry: false })?.isSymbolicLink() !== true) continue;
      if (existsSync(part)) break;
      throw new InputError(
        `${path}: ${part === absolute ? "" : `${part} `}is a symbolic link to ` +
          `${readlinkSync(part)}, which does not exist; remove the link or make what it leads to`,
      );
    }
    return absolute;
  } catch (error) {
    throw fileError(path, error);
  }
}

/** Only the last part is followed: the hidden folder is to be beside what the link leads to. */
function realpathOfLink(absolute: string): string {
  // Another run may have just moved what was there.
  const found = lstatSync(absolute, { throwIfNoEntry: false });
  return found?.isSymbolicLink() === true ? realpathSync(absolute) : absolute;
}

/** Whether the working folder is in a folder: one that is swapped would leave its shell nowhere. */
function isAround(target: string): boolean {
  if (!isFolder(target)) return false;
  let way: string;
  try {
    way = relative(realpathSync(target), process.cwd());
  } catch {
    // Another run has just moved it, or the working folder is gone.
    return false;
  }
  return way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** Whether something of ours stands at the place; throws where it is not ours. */
async function checkStanding(
  path: string,
  target: string,
  { shape, option, foreign }: OutputKind,
): Promise<boolean> {
  const found = statSync(target, { throwIfNoEntry: false });
  if (found === undefined) return false;
  if (found.isDirectory() && shape === "file") {
    throw new InputError(`${path}: is a folder; name a file`);
  }
  const isEmpty = found.isDirectory()
    ? ownedNames(target).length === 0
    : found.isFile() && found.size === 0 && shape === "file";
  if (isEmpty) return false;
  const reason = found.isDirectory() !== (shape === "folder")
    ? "is a file; name a folder"
    : await foreign(target);
  if (reason === undefined) return true;
  throw new InputError(`${path}: ${reason}; choose another ${option} or remove it`);
}

/** Throws where a file is mounted on its own and so cannot be replaced as a whole. */
function checkFileMovable(path: string, target: string, stage: Stage): void {
  const probe = join(stage.folder, "probe");
  try {
    linkSync(target, probe);
  } catch (error) {
    if (errorCode(error) !== "EXDEV") return;
    throw new InputError(`${path}: is a mount point and cannot be replaced; name another file`);
  } finally {
    rmSync(probe, { force: true });
  }
}

/** The output of an open stage; `mustStay` says that the folder at its place cannot be swapped. */
function track(
  path: string,
  target: string,
  kind: OutputKind,
  stage: Stage,
  replaces: boolean,
  mustStay: boolean,
): Output {
  const shown = kind.shape === "file" ? dirname(path) : path;
  /** Has new files written and placed; errors name the place, not the hidden folder. */
  async function perform(write: () => Promise<void>, place: () => void): Promise<void> {
    try {
      await write();
      await checkStanding(path, target, kind);
      place();
    } catch (error) {
      const told = fileError(path, error);
      if (!(told instanceof InputError)) throw told;
      throw new InputError(told.message.replaceAll(stage.files, shown), { cause: error });
    }
    published.add(path);
  }
  const output: Output = {
    scratch: stage.folder,
    replaces,
    async publish(write) {
      await perform(() => write(stage.files), () => {
        if (kind.shape === "file") {
          placeFile(join(stage.files, basename(path)), target);
        } else if (mustStay) refillFolder(stage.folder, stage.files, target);
        else swapFolder(stage.folder, stage.files, target);
      });
      if (!existsSync(stage.files)) mkdirSync(stage.files);
    },
    async publishWithin(name, write) {
      const file = join(stage.files, name);
      await perform(() => write(file), () => {
        mkdirSync(target, { recursive: true });
        renameSync(file, join(target, name));
      });
    },
    release() {
      if (openOutputs.delete(output)) stage.release();
    },
    [Symbol.dispose]: () => output.release(),
  };
  openOutputs.add(output);
  return output;
}
