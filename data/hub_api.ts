import { HubApiError, listFiles, modelInfo } from "@huggingface/hub";
import { fetchWhole, type RequestOptions, UnreachableError } from "./http.ts";
import type { HubSettings } from "./hub_settings.ts";
import { InputError } from "./input_error.ts";

/** A file of a model on the hub. */
export interface HubFile {
  /** Path in the repository. */
  readonly path: string;
  /** Size in bytes. */
  readonly size: number;
  /** How its contents are verified. */
  readonly digest: HubDigest;
}

/** What a file's contents hash to: SHA-256 for large files, a git blob's SHA-1 for small ones. */
export interface HubDigest {
  /** Hash function. */
  readonly algorithm: "sha256" | "git-sha1";
  /** Hash in hexadecimal digits. */
  readonly hex: string;
}

/** A model on the hub at one commit. */
export interface HubRevision {
  /** Its commit, 40 hexadecimal digits. */
  readonly commit: string;
  /** Every file at the top of the repository, and of the folder in it that was asked for. */
  readonly files: readonly HubFile[];
}

/** More files than any model has. */
const MOST_ENTRIES = 100_000;
/** More pages of files than any model has: a server may name ever another one. */
const MOST_REQUESTS = 1000;

/** The headers that prove to the hub, and to no other server, who asks. */
export function hubHeaders(settings: HubSettings): Record<string, string> {
  return settings.token === undefined ? {} : { authorization: `Bearer ${settings.token}` };
}

/** Where a file of a model is to be downloaded. */
export function hubFileUrl(
  settings: HubSettings,
  id: string,
  commit: string,
  path: string,
): string {
  const encoded = path.split("/").map(encodeURIComponent).join("/");
  return `${settings.endpoint}/${id}/resolve/${commit}/${encoded}`;
}

/**
 * Asks the hub for a model's commit and files: those at the top of the repository and, where
 * `folder` is one in it, those in that. Throws an {@linkcode InputError} if the hub does
 * not know the model or the revision, or does not let us in.
 */
export async function findRevision(
  settings: HubSettings,
  id: string,
  revision: string,
  options: RequestOptions,
  folder?: string,
): Promise<HubRevision> {
  const common = { hubUrl: settings.endpoint, fetch: patientFetch(settings, options) };
  try {
    const fields: "sha"[] = ["sha"];
    const info = await modelInfo({ ...common, name: id, revision, additionalFields: fields });
    const commit = info.sha;
    if (!isHex(commit, 40)) throw unexpected(settings, id);
    const files: HubFile[] = [];
    let entries = 0;
    for (const place of folder === undefined ? [""] : ["", folder]) {
      const repo = { type: "model", name: id } as const;
      const where = place === "" ? {} : { path: place };
      const listed = listFiles({ ...common, repo, revision: commit, ...where });
      for await (const { type, path, size, oid, lfs } of listed) {
        if (++entries > MOST_ENTRIES) throw unexpected(settings, id);
        if (type !== "file") continue;
        const digest = digestOf(lfs?.oid, oid);
        const isSound = typeof path === "string" && Number.isSafeInteger(size) && size >= 0;
        if (digest === undefined || !isSound) throw unexpected(settings, id);
        // What is in another folder, and what would lead out of one.
        const name = place === "" || !path.startsWith(`${place}/`)
          ? path
          : path.slice(place.length + 1);
        if (/[/\\\0]/.test(name) || (place !== "" && name === path)) continue;
        files.push({ path, size, digest });
      }
    }
    return { commit, files };
  } catch (error) {
    options.signal?.throwIfAborted();
    throw apiError(settings, id, revision, error);
  }
}

function digestOf(sha256: unknown, gitSha1: unknown): HubDigest | undefined {
  if (isHex(sha256, 64)) return { algorithm: "sha256", hex: sha256 };
  if (sha256 === undefined && isHex(gitSha1, 40)) return { algorithm: "git-sha1", hex: gitSha1 };
  return undefined;
}

function isHex(value: unknown, digits: number): value is string {
  return typeof value === "string" && value.length === digits && /^[0-9a-f]+$/.test(value);
}

/** A fetch for the library that is patient, and shows the token to the hub alone. */
function patientFetch(settings: HubSettings, options: RequestOptions): typeof fetch {
  const hub = new URL(settings.endpoint).origin;
  let requests = 0;
  return async (input, init) => {
    if (++requests > MOST_REQUESTS) throw new Error(`more than ${MOST_REQUESTS} pages`);
    const url = input instanceof Request ? input.url : String(input);
    const headers = new URL(url).origin === hub ? hubHeaders(settings) : {};
    return await fetchWhole(url, { ...options, headers }, init);
  };
}

function apiError(settings: HubSettings, id: string, revision: string, error: unknown): Error {
  if (error instanceof UnreachableError) {
    return new UnreachableError(
      `${id}: is not a folder here, and the hub ${settings.endpoint}`,
      error.reason,
      error,
    );
  }
  if (error instanceof InputError) return error;
  // The library trusts what it parses, and fails in any way where that is something else.
  if (!(error instanceof HubApiError)) return unexpected(settings, id, error);
  const place = settings.endpoint;
  // The hub answers 401 for models that do not exist, so as not to tell which ones are private.
  if (error.statusCode === 401 || error.statusCode === 403) {
    const advice = settings.token === undefined
      ? "check its name, and set HF_TOKEN if it is private or gated"
      : "check its name, and that HF_TOKEN is valid and has been granted access to it";
    return new InputError(`${id}: ${place} does not give it out; ${advice}`, { cause: error });
  }
  if (error.statusCode === 404) {
    return new InputError(
      `${id}: is neither a folder here nor a model at ${place} with a revision ${revision}; ` +
        `check the name`,
      { cause: error },
    );
  }
  return new InputError(`${id}: ${place} answers ${error.statusCode}; try again later`, {
    cause: error,
  });
}

function unexpected(settings: HubSettings, id: string, cause?: unknown): InputError {
  return new InputError(
    `${id}: ${settings.endpoint} does not answer as a Hugging Face hub does; check HF_ENDPOINT`,
    { cause },
  );
}
