import { join } from "node:path";
import { openFile } from "./file_source.ts";
import { findRevision, type HubFile, hubFileUrl, hubHeaders, type HubRevision } from "./hub_api.ts";
import {
  blobPath,
  cachedCommit,
  linkSnapshot,
  type ModelCache,
  modelCache,
  rememberCommit,
  snapshotDigest,
  snapshotPath,
} from "./hub_cache.ts";
import { download, hashFile } from "./hub_download.ts";
import { type HubSettings, hubSettings } from "./hub_settings.ts";
import { type RequestOptions, UnreachableError } from "./http.ts";
import { InputError } from "./input_error.ts";
import { readJsonObject } from "./json_file.ts";
import { fileNames, openLocalModel } from "./local_model.ts";
import { chooseModelFiles, indexSuffix } from "./model_files.ts";
import type { ModelSource } from "./model_source.ts";
import { parseShardIndex } from "./safetensors_shards.ts";

/** How far a download is. */
export interface DownloadProgress {
  /** File that is being downloaded. */
  readonly file: string;
  /** Bytes of all wanted files that are here. */
  readonly bytes: number;
  /** Bytes of all wanted files. */
  readonly totalBytes: number;
}

/** How a model is fetched from the hub. */
export interface HubOptions extends Omit<RequestOptions, "headers"> {
  /** Branch, tag or commit; `"main"` by default. */
  readonly revision?: string;
  /** Folder of the cache; that of huggingface_hub by default. */
  readonly cacheDir?: string;
  /** Uses the cache only; by default where `HF_HUB_OFFLINE` is 1. */
  readonly offline?: boolean;
  /** Hears of each piece that arrives. */
  readonly onProgress?: (progress: DownloadProgress) => void;
}

/** Whether a text has the form of a model's name on the hub, `owner/name`. */
export function isHubId(text: string): boolean {
  return /^[\w-][\w.-]*\/[\w-][\w.-]*$/.test(text) && !/\.\.|--/.test(text);
}

/**
 * Opens the model `owner/name` of the hub. Its configuration, tokenizer and safetensors weights are
 * downloaded into the cache unless they are there; where the hub cannot be reached, the version that
 * was downloaded last is opened.
 */
export async function openHubModel(
  id: string,
  options: HubOptions = {},
  settings: HubSettings = hubSettings(),
): Promise<ModelSource> {
  const revision = options.revision ?? "main";
  if (!/^\w[\w./-]*$/.test(revision) || revision.includes("..")) {
    throw new InputError(`${id}: ${revision} is no revision; name a branch, a tag or a commit`);
  }
  const cache = modelCache(options.cacheDir ?? settings.cacheDir, id);
  const cached = await cachedCommit(cache, revision);
  const offline = options.offline ?? settings.offline;
  const updated = offline
    ? undefined
    : await update(settings, cache, id, revision, cached, options);
  const commit = updated ?? cached;
  if (commit === undefined) {
    throw new InputError(
      `${id}: revision ${revision} is not in the cache, and HF_HUB_OFFLINE forbids to ` +
        `download it; unset it, or name a revision that is there`,
    );
  }
  if (updated === undefined) await checkSnapshot(cache, id, commit);
  const name = options.revision === undefined ? id : `${id}@${revision}`;
  return await openLocalModel(snapshotPath(cache, commit), name);
}

/**
 * Downloads what is missing or damaged of a revision, and resolves with its commit; undefined where
 * the hub cannot be reached and the cache has to do.
 */
async function update(
  settings: HubSettings,
  cache: ModelCache,
  id: string,
  revision: string,
  cached: string | undefined,
  options: HubOptions,
): Promise<string | undefined> {
  let found: HubRevision;
  try {
    // Without a network, who has the model should not have to wait for long.
    const attempts = cached === undefined ? {} : { attempts: 2 };
    found = await findRevision(settings, id, revision, { ...attempts, ...options });
  } catch (error) {
    if (cached !== undefined && error instanceof UnreachableError) return undefined;
    throw error;
  }
  const { commit } = found;
  const target: Target = { settings, cache, id, revision: found, options };
  const names = found.files.map((file) => file.path);
  const wanted = await wantedFiles(
    cache,
    id,
    commit,
    names,
    (index) => downloadFiles(target, [index]),
  );
  await downloadFiles(target, wanted);
  await rememberCommit(cache, revision, commit);
  return commit;
}

/** The files of a model among those of a commit; `prepare` sees to the index before it is read. */
async function wantedFiles(
  cache: ModelCache,
  id: string,
  commit: string,
  names: readonly string[],
  prepare: (index: string) => Promise<void>,
): Promise<string[]> {
  const { companions, weights } = chooseModelFiles(id, names);
  if (!weights.endsWith(indexSuffix)) return [...companions, weights];
  await prepare(weights);
  const shards = await shardNames(join(snapshotPath(cache, commit), weights));
  return [...companions, weights, ...shards];
}

/** Throws where a file of the cache is not what it was when it was downloaded. */
async function checkSnapshot(cache: ModelCache, id: string, commit: string): Promise<void> {
  const folder = snapshotPath(cache, commit);
  const check = async (name: string) => {
    const digest = await snapshotDigest(cache, commit, name);
    const path = join(folder, name);
    if (digest === undefined || await hashFile(path, digest) === digest.hex) return;
    throw new InputError(
      `${path}: is damaged, by its ${digest.algorithm} hash; have it downloaded again with the hub ` +
        "at hand (and without HF_HUB_OFFLINE)",
    );
  };
  for (const name of await wantedFiles(cache, id, commit, await fileNames(folder), check)) {
    await check(name);
  }
}

async function shardNames(indexPath: string): Promise<string[]> {
  const index = await readJsonObject(await openFile(indexPath));
  return [...new Set(parseShardIndex(indexPath, index).values())].toSorted();
}

/** The model of which files are downloaded, and where to. */
interface Target {
  readonly settings: HubSettings;
  readonly cache: ModelCache;
  readonly id: string;
  readonly revision: HubRevision;
  readonly options: HubOptions;
}

async function downloadFiles(target: Target, names: readonly string[]): Promise<void> {
  const { settings, cache, id, revision: { commit, files }, options } = target;
  const wanted = names.map((name) => fileNamed(id, files, name));
  const totalBytes = wanted.reduce((sum, file) => sum + file.size, 0);
  const request: RequestOptions = { ...options, headers: hubHeaders(settings) };
  let before = 0;
  for (const { path, size, digest } of wanted) {
    const url = hubFileUrl(settings, id, commit, path);
    const blob = blobPath(cache, digest.hex);
    await download({ url, path: blob, size, digest }, request, (bytes) => {
      options.onProgress?.({ file: path, bytes: before + bytes, totalBytes });
    });
    await linkSnapshot(cache, commit, path, digest.hex);
    before += size;
  }
}

function fileNamed(id: string, files: readonly HubFile[], name: string): HubFile {
  const file = files.find((file) => file.path === name);
  if (file !== undefined) return file;
  throw new InputError(
    `${id}: its index lists ${name}, which is not on the hub; tell its owner or choose another model`,
  );
}
