import { existsSync } from "node:fs";
import { join } from "node:path";
import type { ByteSource } from "./byte_source.ts";
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
import { chooseGgufParts, isGgufName } from "./gguf/choose_parts.ts";
import { fileNames, openLocalModel } from "./local_model.ts";
import {
  chooseCompanions,
  chooseDocuments,
  chooseModelFiles,
  hasSafetensors,
  indexSuffix,
} from "./model_files.ts";
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

/** Files that are going to be downloaded. */
export interface FileFetch {
  /** Their names. */
  readonly files: readonly string[];
  /** Their bytes together. */
  readonly bytes: number;
  /** Address of the hub. */
  readonly from: string;
}

/** How a model is fetched from the hub. */
export interface HubOptions extends Omit<RequestOptions, "headers"> {
  /** Branch, tag or commit; `"main"` by default. */
  readonly revision?: string;
  /** A GGUF file of the repository that is the model, or any of the parts that it is split over. */
  readonly file?: string;
  /** Folder of the cache; that of huggingface_hub by default. */
  readonly cacheDir?: string;
  /** Uses the cache only; by default where `HF_HUB_OFFLINE` is 1. */
  readonly offline?: boolean;
  /** Hears of the files that are going to be downloaded, before they are. */
  readonly onFetch?: (fetch: FileFetch) => void;
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
  const choose: Choose = (choice) => chooseWithWeights(choice, options.file);
  const { folder, files } = await bringSnapshot(id, options, settings, choose, true);
  const { revision, file } = options;
  const name = (revision === undefined ? id : `${id}@${revision}`) +
    (file === undefined ? "" : `:${file}`);
  // Other GGUF files of the repository may have been downloaded before.
  const gguf = files.find(isGgufName);
  return await openLocalModel(gguf === undefined ? folder : join(folder, gguf), name);
}

/**
 * As {@linkcode openHubModel}, for the files beside the weights alone: no weights are downloaded.
 */
export async function openHubCompanions(
  id: string,
  options: HubOptions = {},
  settings: HubSettings = hubSettings(),
): Promise<ByteSource[]> {
  // What belongs to a GGUF model is in its file.
  if (options.file !== undefined) {
    return [...(await openHubModel(id, options, settings)).companions];
  }
  let isGguf = false;
  const choose: Choose = ({ names }) => {
    isGguf = !names.includes("config.json") && !hasSafetensors(names) && names.some(isGgufName);
    return Promise.resolve(isGguf ? [] : chooseCompanions(names));
  };
  const { folder, files } = await bringSnapshot(id, options, settings, choose, false);
  if (isGguf) return [...(await openHubModel(id, options, settings)).companions];
  return await Promise.all(files.map((name) => openFile(join(folder, name))));
}

/** The files of a commit, from which it is chosen what is wanted. */
interface Choice {
  readonly id: string;
  /** Names of all files. */
  readonly names: readonly string[];
  /** Where those are that are there. */
  readonly folder: string;
  /** Makes sure that a file is there, and sound. */
  readonly prepare: (name: string) => Promise<void>;
}

type Choose = (choice: Choice) => Promise<string[]>;

/** The configuration, the tokenizer, the card, the licence and the weights, or a GGUF model's files. */
async function chooseWithWeights(
  { id, names, folder, prepare }: Choice,
  file: string | undefined,
): Promise<string[]> {
  if (file !== undefined && !names.includes(file)) throw missingFile(id, file, names);
  const gguf = file === undefined && hasSafetensors(names)
    ? undefined
    : chooseGgufParts(id, names, file);
  if (gguf !== undefined) return [...chooseDocuments(names), ...gguf];
  const { companions, documents, weights } = chooseModelFiles(id, names);
  const small = [...companions, ...documents];
  if (!weights.endsWith(indexSuffix)) return [...small, weights];
  await prepare(weights);
  const path = join(folder, weights);
  const shards = parseShardIndex(path, await readJsonObject(await openFile(path))).values();
  return [...small, weights, ...[...new Set(shards)].toSorted()];
}

function missingFile(id: string, file: string, names: readonly string[]): InputError {
  const others = names.filter(isGgufName);
  const advice = others.length === 0
    ? "it has no GGUF files"
    : `it has ${others.slice(0, 12).join(", ")}${others.length > 12 ? ", …" : ""}`;
  return new InputError(`${id}: has no file ${file}; ${advice}`);
}

/** Makes sure that the chosen files of a model are in the cache; gives them and their folder. */
async function bringSnapshot(
  id: string,
  options: HubOptions,
  settings: HubSettings,
  choose: Choose,
  hasWeights: boolean,
): Promise<{ folder: string; files: string[] }> {
  const revision = options.revision ?? "main";
  if (!/^\w[\w./-]*$/.test(revision) || revision.includes("..")) {
    throw new InputError(`${id}: ${revision} is not a revision; name a branch, a tag or a commit`);
  }
  const cache = modelCache(options.cacheDir ?? settings.cacheDir, id);
  const cached = await cachedCommit(cache, revision);
  const isOffline = options.offline ?? settings.offline;
  const inner = folderOf(id, options.file);
  const found = isOffline
    ? undefined
    : await askHub(settings, id, revision, cached, options, inner);
  if (found !== undefined) {
    const target: Target = { settings, cache, id, revision: found, options };
    const folder = snapshotPath(cache, found.commit);
    const prepare = (name: string) => downloadFiles(target, [name]);
    const names = found.files.map((file) => file.path);
    const files = await choose({ id, names, folder, prepare });
    await downloadFiles(target, files);
    // Else a model without weights would pass for one that was downloaded.
    if (hasWeights) await rememberCommit(cache, revision, found.commit);
    return { folder, files };
  }
  if (cached === undefined) {
    throw new InputError(
      `${id}: revision ${revision} is not in the cache, and HF_HUB_OFFLINE forbids to ` +
        `download it; unset it, or name a revision that is there`,
    );
  }
  const folder = snapshotPath(cache, cached);
  const prepare = (name: string) => checkCached(cache, cached, name);
  const within = inner === undefined ? [] : await fileNames(join(folder, inner)).catch(() => []);
  const names = [...await fileNames(folder), ...within.map((name) => `${inner}/${name}`)];
  const files = await choose({ id, names, folder, prepare });
  for (const name of files) await prepare(name);
  return { folder, files };
}

/** The folder of a repository that a file is in; undefined at its top. */
function folderOf(id: string, file: string | undefined): string | undefined {
  if (file === undefined || !file.includes("/")) return undefined;
  const folder = file.slice(0, file.lastIndexOf("/"));
  if (folder.split("/").every((part) => /^[\w-][\w. -]*$/.test(part))) return folder;
  throw new InputError(`${id}: ${file} is not the name of a file in it; check the name`);
}

/** What the hub has; undefined if it cannot be reached and the cache has something. */
async function askHub(
  settings: HubSettings,
  id: string,
  revision: string,
  cached: string | undefined,
  options: HubOptions,
  folder: string | undefined,
): Promise<HubRevision | undefined> {
  try {
    // Without a network, who has the model should not have to wait for long.
    const attempts = cached === undefined ? {} : { attempts: 2 };
    return await findRevision(settings, id, revision, { ...attempts, ...options }, folder);
  } catch (error) {
    if (cached !== undefined && error instanceof UnreachableError) return undefined;
    throw error;
  }
}

/** Throws where a file of the cache is not what it was when it was downloaded. */
async function checkCached(cache: ModelCache, commit: string, name: string): Promise<void> {
  const digest = await snapshotDigest(cache, commit, name);
  const path = join(snapshotPath(cache, commit), name);
  if (digest === undefined || await hashFile(path, digest) === digest.hex) return;
  throw new InputError(
    `${path}: is damaged, by its ${digest.algorithm} hash; have it downloaded again with the hub ` +
      "at hand (and without HF_HUB_OFFLINE)",
  );
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
  const missing = wanted.filter(({ digest }) => !existsSync(blobPath(cache, digest.hex)));
  if (missing.length > 0) {
    const bytes = missing.reduce((sum, file) => sum + file.size, 0);
    options.onFetch?.({ files: missing.map(({ path }) => path), bytes, from: settings.endpoint });
  }
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
