import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { fileError } from "./file_error.ts";

/** Names that `writeFileAtomically` gives to files until they are whole. */
const UNFINISHED = /^\..*\.tmp-[\da-f-]{36}$/;
/** Milliseconds in which whoever still writes a file has written some of it. */
const ABANDONED_AFTER = 3_600_000;

/**
 * Removes from a folder what processes that were killed have half written. Throws an
 * {@linkcode InputError} if the folder cannot be read.
 */
export async function removeAbandonedFiles(folder: string): Promise<void> {
  const names = await readdir(folder).catch((error) => {
    throw fileError(folder, error);
  });
  for (const name of names) {
    if (!UNFINISHED.test(name)) continue;
    const path = join(folder, name);
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: 0 }));
    // One of the future is of before the clock was set back, or of another clock.
    const isOld = Math.abs(Date.now() - mtimeMs) > ABANDONED_AFTER;
    // Another process may have been faster.
    if (isOld) await rm(path, { force: true }).catch(() => {});
  }
}
