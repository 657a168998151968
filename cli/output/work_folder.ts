import { readdirSync, statSync } from "node:fs";
import { rm } from "node:fs/promises";
import { basename, dirname, isAbsolute, join, relative, resolve } from "node:path";
import { fileError } from "../../data/file_error.ts";
import { InputError } from "../../data/input_error.ts";
import { formatBytes } from "../../eval/report/number_text.ts";
import { openFolderStore } from "../../store/folder_store.ts";
import type { Store } from "../../store/store.ts";
import type { Run } from "../terminal/run.ts";
import { isBeingWritten } from "./stage.ts";

/** What a command has done so far, for the same command to go on after it was killed. */
export interface Work {
  /** Where it is kept. */
  readonly store: Store;
  /** The folder, as the user calls it. */
  readonly folder: string;
  /** To be called when nothing of it is needed any more: removes the folder that nobody named. */
  finish(): Promise<void>;
}

/** Folders in which work of this process is kept. */
const kept = new Set<string>();

/** Whether what a command has done is kept for the same command, should it end now. */
export function isWorkKept(): boolean {
  return kept.size > 0;
}

/** How the folders end that nobody named. */
const ENDING = ".work-kanpress";

/**
 * Opens the folder that the user `named`, or else, where the work is `long`, a hidden one beside the
 * output `out`; undefined where there is neither. Throws {@linkcode InputError} where the folder that
 * was named cannot be used, or is full later; any other is then done without.
 */
export async function openWork(
  { named, isLong, out }: {
    readonly named: string | undefined;
    readonly isLong: boolean;
    readonly out: string;
  },
  run: Pick<Run, "writeLine">,
): Promise<Work | undefined> {
  const target = resolve(out);
  const whole = join(dirname(target), `.${basename(target)}${ENDING}`);
  // As the user calls the output: long paths fill several lines.
  const own = isAbsolute(out) ? whole : relative("", whole);
  reportDeadWork(own, run);
  const onDamaged = (path: string) => run.writeLine(`${path}: was damaged; it is made again`);
  if (named !== undefined) {
    const store = await openFolderStore(named, { onDamaged });
    kept.add(named);
    return {
      store,
      folder: named,
      finish() {
        kept.delete(named);
        return Promise.resolve();
      },
    };
  }
  if (!isLong && !isFolder(own)) return undefined;
  try {
    const store = await openFolderStore(own, { onDamaged });
    run.writeLine(`what is done is kept in ${own} until the end: once killed, run the same again`);
    kept.add(own);
    const remove = () => {
      kept.delete(own);
      return rm(own, { recursive: true, force: true });
    };
    return {
      store: untilFull(store, async (error) => {
        run.writeLine(`${error.message} (going on without keeping what is done)`);
        await remove();
      }),
      folder: own,
      async finish() {
        await remove().catch((error) => run.writeLine(fileError(own, error).message));
      },
    };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    run.writeLine(`what is done cannot be kept: ${error.message}`);
    return undefined;
  }
}

/** The store until it cannot keep an entry; from then on it is empty and keeps nothing. */
function untilFull(store: Store, onFull: (error: InputError) => Promise<void>): Store {
  let full: Promise<void> | undefined;
  const giveUp = (error: unknown) => {
    if (!(error instanceof InputError)) throw error;
    return full ??= onFull(error);
  };
  return {
    async get(name) {
      return full === undefined ? await store.get(name) : undefined;
    },
    async has(name) {
      return full === undefined && await store.has(name);
    },
    async put(name, bytes) {
      if (full === undefined) await store.put(name, bytes).catch(giveUp);
      else await full;
    },
    async remove(name) {
      if (full === undefined) await store.remove(name);
    },
  };
}

/** Tells of work beside an output that belongs to no run which is still going. */
function reportDeadWork(own: string, run: Pick<Run, "writeLine">): void {
  const parent = dirname(own);
  for (const name of namesIn(parent)) {
    const folder = join(parent, name);
    if (folder === own || !name.startsWith(".") || !name.endsWith(ENDING)) continue;
    const output = join(parent, name.slice(1, -ENDING.length));
    if (isBeingWritten(output)) continue;
    run.writeLine(
      `${folder}: has ${formatBytes(bytesIn(folder))} of work on ${
        basename(output)
      } that was not ` +
        "finished; run that command again, or remove the folder",
    );
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function bytesIn(folder: string): number {
  return namesIn(folder).reduce(
    (sum, name) => sum + (statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0),
    0,
  );
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
