import { existsSync } from "node:fs";
import { copyFile, mkdir, readFile, readlink, symlink } from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";
import { errorCode, fileError } from "./file_error.ts";
import type { HubDigest } from "./hub_api.ts";
import { writeFileAtomically } from "./write_file.ts";

/**
 * Where one model is in the cache, in the layout of huggingface_hub
 * (https://huggingface.co/docs/huggingface_hub/guides/manage-cache): `blobs/` holds contents by
 * their hash, `snapshots/COMMIT/` names them by links, `refs/` says which commit a revision is.
 */
export interface ModelCache {
  /** The model's folder. */
  readonly folder: string;
}

/** The cache of the model `owner/name`. */
export function modelCache(cacheDir: string, id: string): ModelCache {
  return { folder: join(cacheDir, `models--${id.replaceAll("/", "--")}`) };
}

/** Path of the contents with a hash. */
export function blobPath(cache: ModelCache, hex: string): string {
  return join(cache.folder, "blobs", hex);
}

/** Path of the folder of a commit's files. */
export function snapshotPath(cache: ModelCache, commit: string): string {
  return join(cache.folder, "snapshots", commit);
}

/** The commit that a revision was when it was last downloaded; undefined if it never was. */
export async function cachedCommit(
  cache: ModelCache,
  revision: string,
): Promise<string | undefined> {
  if (/^[0-9a-f]{40}$/.test(revision)) {
    return existsSync(snapshotPath(cache, revision)) ? revision : undefined;
  }
  const path = join(cache.folder, "refs", revision);
  try {
    const commit = (await readFile(path, "utf8")).trim();
    return /^[0-9a-f]{40}$/.test(commit) ? commit : undefined;
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw fileError(path, error);
  }
}

/**
 * What a file of a commit must hash to, which the name of its contents says; undefined if it is
 * not there or is a copy, as on file systems without links.
 */
export async function snapshotDigest(
  cache: ModelCache,
  commit: string,
  fileName: string,
): Promise<HubDigest | undefined> {
  const link = await readlink(join(snapshotPath(cache, commit), fileName)).catch(() => "");
  const hex = basename(link);
  if (/^[0-9a-f]{64}$/.test(hex)) return { algorithm: "sha256", hex };
  if (/^[0-9a-f]{40}$/.test(hex)) return { algorithm: "git-sha1", hex };
  return undefined;
}

/** Notes which commit a revision is. */
export async function rememberCommit(
  cache: ModelCache,
  revision: string,
  commit: string,
): Promise<void> {
  if (revision === commit) return;
  const path = join(cache.folder, "refs", revision);
  await makeFolder(dirname(path));
  await writeFileAtomically(path, [new TextEncoder().encode(commit)]);
}

/** Names the contents with a hash as a file of a commit. */
export async function linkSnapshot(
  cache: ModelCache,
  commit: string,
  fileName: string,
  hex: string,
): Promise<void> {
  const path = join(snapshotPath(cache, commit), fileName);
  await makeFolder(dirname(path));
  const blob = blobPath(cache, hex);
  try {
    await symlink(relative(dirname(path), blob), path);
  } catch (error) {
    const code = errorCode(error);
    if (code === "EEXIST") return;
    // Some file systems, and Windows without developer mode, have no links.
    if (code !== "EPERM" && code !== "ENOTSUP" && code !== "ENOSYS") throw fileError(path, error);
    await copyFile(blob, path).catch((copyError) => {
      throw fileError(path, copyError);
    });
  }
}

/** Creates a folder and those around it. */
export async function makeFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true }).catch((error) => {
    throw fileError(path, error);
  });
}
