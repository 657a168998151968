import { readdir, readFile, stat, unlink } from "node:fs/promises";
import { join, resolve } from "node:path";
import { removeAbandonedFiles } from "../../data/abandoned_files.ts";
import { makeFolder } from "../../data/hub_cache.ts";
import { writeFileAtomically } from "../../data/write_file.ts";
import type { Environment } from "../terminal/run.ts";
import { cacheFolder } from "./cache_folder.ts";

/** So many places are known; older ones go. */
const MOST_PLACES = 500;

function folderOfPlaces(environment: Environment): string {
  return join(cacheFolder({}, false, environment), "originals");
}

/** One file for each model, so that two processes cannot lose each other's. */
function placeFile(sha256: string, environment: Environment): string {
  const name = sha256.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
  return join(folderOfPlaces(environment), `${name}.txt`);
}

/**
 * Keeps where a local model is, by the digest of its weights: a compressed file names its original
 * by that and does not tell where it was. Kept in the user's cache folder. Throws
 * {@linkcode InputError} if it cannot be kept.
 */
export async function rememberOriginal(
  sha256: string,
  path: string,
  environment: Environment,
): Promise<void> {
  await makeFolder(folderOfPlaces(environment));
  await writeFileAtomically(placeFile(sha256, environment), [
    new TextEncoder().encode(resolve(path)),
  ]);
  await removeAbandonedFiles(folderOfPlaces(environment));
  await prune(folderOfPlaces(environment));
}

/** Where a model of these weights was seen last; undefined where that is not known. */
export async function recallOriginal(
  sha256: string,
  environment: Environment,
): Promise<string | undefined> {
  try {
    return await readFile(placeFile(sha256, environment), "utf8");
  } catch {
    // Not kept, or not to be read: it can be named with --original.
    return undefined;
  }
}

async function prune(folder: string): Promise<void> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(".txt"));
  if (names.length <= MOST_PLACES) return;
  const files = await Promise.all(names.map(async (name) => {
    const path = join(folder, name);
    return { path, time: await stat(path).then(({ mtimeMs }) => mtimeMs, () => 0) };
  }));
  const oldest = files.toSorted((a, b) => b.time - a.time).slice(MOST_PLACES);
  // Another process may have been faster.
  for (const { path } of oldest) await unlink(path).catch(() => {});
}
