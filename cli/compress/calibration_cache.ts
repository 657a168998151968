import { existsSync, statSync } from "node:fs";
import { readdir, stat, unlink } from "node:fs/promises";
import { join } from "node:path";
import { removeAbandonedFiles } from "../../data/abandoned_files.ts";
import { makeFolder } from "../../data/hub_cache.ts";
import { InputError } from "../../data/mod.ts";
import { writeFileAtomically } from "../../data/write_file.ts";
import {
  type KeptCalibration,
  readCalibration,
  writeCalibration,
} from "../../eval/calibration/calibration_file.ts";
import type { Run } from "../terminal/run.ts";

/** A folder keeps this many calibrations; older ones go. */
const MOST_FILES = 4;
/** A folder keeps this many bytes. */
const MOST_BYTES = 2e9;

/** Where a folder keeps the calibration of a key. */
function keptPath(folder: string, key: string): string {
  return join(folder, `calibration-${key.slice(0, 24)}.safetensors`);
}

/** Whether a folder seems to keep the calibration of a key: whether it is sound is not looked at. */
export function seemsKept(folder: string, key: string): boolean {
  return existsSync(keptPath(folder, key));
}

/**
 * The calibration that a folder keeps under a key, or a new one, which is then kept. A file that is
 * damaged or not of this key is reported and made again. If none can be written, that is said before
 * the work, which may take long, and nothing else is the matter.
 */
export async function cachedCalibration(
  folder: string,
  key: string,
  make: () => Promise<KeptCalibration>,
  { writeLine }: Pick<Run, "writeLine">,
): Promise<KeptCalibration> {
  const path = keptPath(folder, key);
  try {
    const kept = await readCalibration(path, key);
    if (kept !== undefined) {
      writeLine(`calibration from ${path} (--no-cache calibrates again)`);
      return kept;
    }
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    writeLine(`${error.message} (it is made again)`);
  }
  const isKeepable = await checkKeepable(path, folder, writeLine);
  const made = await make();
  if (isKeepable) await keep(path, folder, key, made, writeLine);
  return made;
}

/** Makes the folder and tries to write in it; says what is in the way. */
async function checkKeepable(
  path: string,
  folder: string,
  writeLine: (line: string) => void,
): Promise<boolean> {
  try {
    await prepareFolder(folder);
    const probe = `${path}.probe`;
    await writeFileAtomically(probe, []);
    await unlink(probe).catch(() => {});
    if (statSync(path, { throwIfNoEntry: false })?.isFile() ?? true) return true;
    throw new InputError(`${path}: is not a file; remove it`);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    writeLine(`calibration cannot be kept: ${error.message}`);
    return false;
  }
}

async function keep(
  path: string,
  folder: string,
  key: string,
  made: KeptCalibration,
  writeLine: (line: string) => void,
): Promise<void> {
  const bytes = made.calibration.moments.reduce(
    (sum, { triangle }) => sum + 4 * triangle.length,
    0,
  );
  if (bytes > MOST_BYTES) {
    writeLine(`calibration not kept: it takes more than ${MOST_BYTES / 1e9} GB`);
    return;
  }
  try {
    await writeCalibration(path, key, made);
    await prune(folder, path);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    writeLine(`calibration not kept: ${error.message}`);
  }
}

/** Makes the folder, which tools that back up or upload folders know to leave out. */
async function prepareFolder(folder: string): Promise<void> {
  await makeFolder(folder);
  await removeAbandonedFiles(folder);
  const texts = {
    ".gitignore": "*\n",
    "CACHEDIR.TAG": "Signature: 8a477f597d28d172789f06886806bc55\n# Calibrations of kanpress.\n",
  };
  for (const [name, text] of Object.entries(texts)) {
    const path = join(folder, name);
    if (!existsSync(path)) await writeFileAtomically(path, [new TextEncoder().encode(text)]);
  }
}

/** Removes the oldest calibrations, but not `newest`, until the folder keeps to its bounds. */
async function prune(folder: string, newest: string): Promise<void> {
  const paths = (await readdir(folder)).filter((name) =>
    /^calibration-\w+\.safetensors$/.test(name)
  )
    .map((name) => join(folder, name)).filter((path) => path !== newest);
  const files = await Promise.all(
    paths.map(async (path) => ({ path, ...await sizeAndTime(path) })),
  );
  let bytes = (await sizeAndTime(newest)).size, count = 1;
  for (const { path, size } of files.toSorted((a, b) => b.mtimeMs - a.mtimeMs)) {
    bytes += size;
    count++;
    // Another process may have been faster.
    if (count > MOST_FILES || bytes > MOST_BYTES) await unlink(path).catch(() => {});
  }
}

async function sizeAndTime(path: string): Promise<{ size: number; mtimeMs: number }> {
  const { size, mtimeMs } = await stat(path).catch(() => ({ size: 0, mtimeMs: 0 }));
  return { size, mtimeMs };
}
