import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { fileError } from "./file_error.ts";
import { type RequestOptions, streamRange } from "./http.ts";
import type { HubDigest } from "./hub_api.ts";
import { makeFolder } from "./hub_cache.ts";
import { InputError } from "./input_error.ts";

/** What is downloaded. */
export interface Download {
  /** Where from. */
  readonly url: string;
  /** Where to. */
  readonly path: string;
  /** Bytes that it has. */
  readonly size: number;
  /** What it hashes to. */
  readonly digest: HubDigest;
}

/**
 * Downloads a file unless it is there, and checks its hash in any case: a disk, another program or
 * a crash may have changed what was downloaded before. What an interrupted download left, in
 * `PATH.incomplete`, is resumed. `onBytes` hears how many bytes of the file are here.
 *
 * Throws an {@linkcode InputError} if the server fails or the contents are not what the hash
 * says; of the latter nothing is kept.
 */
export async function download(
  wanted: Download,
  options: RequestOptions,
  onBytes: (bytes: number) => void = () => {},
): Promise<void> {
  if (await isSound(wanted)) return onBytes(wanted.size);
  const incomplete = `${wanted.path}.incomplete`;
  await makeFolder(dirname(wanted.path));
  const resumed = await partialSize(incomplete, wanted.size);
  let found = await fetchAndHash(wanted, incomplete, resumed, options, onBytes);
  if (found !== wanted.digest.hex && resumed > 0) {
    // The part that was there may have been of something else.
    await rm(incomplete, { force: true });
    found = await fetchAndHash(wanted, incomplete, 0, options, onBytes);
  }
  if (found !== wanted.digest.hex) {
    await rm(incomplete, { force: true });
    throw new InputError(
      `${wanted.url}: has the ${wanted.digest.algorithm} hash ${found}, where the hub announces ` +
        `${wanted.digest.hex}; it was thrown away: try again`,
    );
  }
  await rename(incomplete, wanted.path).catch((error) => {
    throw fileError(wanted.path, error);
  });
}

/** Whether the file is there; one that is something else is removed. */
async function isSound(wanted: Download): Promise<boolean> {
  const { path, size, digest } = wanted;
  const present = await stat(path).then((found) => found.size, () => undefined);
  if (present === undefined) return false;
  if (present === size && await hashFile(path, digest) === digest.hex) return true;
  await rm(path, { force: true });
  return false;
}

async function partialSize(path: string, size: number): Promise<number> {
  const present = await stat(path).then((found) => found.size, () => 0);
  if (present <= size) return present;
  await rm(path, { force: true });
  return 0;
}

async function fetchAndHash(
  wanted: Download,
  incomplete: string,
  start: number,
  options: RequestOptions,
  onBytes: (bytes: number) => void,
): Promise<string> {
  const { url, size } = wanted;
  const file = await open(incomplete, "a").catch((error) => {
    throw fileError(incomplete, error);
  });
  try {
    let present = start;
    onBytes(present);
    for await (const chunk of streamRange(url, start, size, size, options)) {
      await file.writeFile(chunk).catch((error) => {
        throw fileError(incomplete, error);
      });
      present += chunk.length;
      onBytes(present);
    }
  } finally {
    await file.close();
  }
  // Hashes what is on the disk, so that a fault of the disk is found as well.
  return await hashFile(incomplete, wanted.digest);
}

/** The hash of a file's contents; throws an {@linkcode InputError} if it cannot be read. */
export async function hashFile(
  path: string,
  { algorithm }: Pick<HubDigest, "algorithm">,
): Promise<string> {
  const hash = createHash(algorithm === "sha256" ? "sha256" : "sha1");
  try {
    if (algorithm === "git-sha1") hash.update(`blob ${(await stat(path)).size}\0`);
    for await (const chunk of createReadStream(path, { highWaterMark: 2 ** 20 })) {
      hash.update(chunk);
    }
  } catch (error) {
    throw fileError(path, error);
  }
  return hash.digest("hex");
}
