import { fromBase64 } from "../data/base64.ts";
import { bytesOf } from "../data/file_array.ts";
import { InputError } from "../data/input_error.ts";
import { sha256 } from "../data/sha256.ts";
import { shownUrl } from "../data/shown_url.ts";
import { checkEntryName, type Store } from "../store/store.ts";

/** Bytes of the SHA-256 that each entry begins with: that of the rest. */
const SEAL = 32;
/** Pauses before a request is tried again, in milliseconds. */
const PAUSES = [200, 1000, 4000];

/** How a {@linkcode createHttpStore} is reached. */
export interface HttpStoreOptions {
  /** Sent with each request as a bearer token. */
  readonly token?: string | undefined;
  /** Pauses before a request is tried again, in milliseconds. */
  readonly pauses?: readonly number[];
}

/**
 * A store behind an address: `GET`, `HEAD`, `PUT` and `DELETE` of `ADDRESS/NAME`, as S3-compatible
 * servers and WebDAV have them. Entries are sealed by their SHA-256; one that is damaged is removed.
 * Requests that fail are tried again; then {@linkcode InputError} names the address and its answer.
 */
export function createHttpStore(
  base: string,
  { token, pauses = PAUSES }: HttpStoreOptions = {},
): Store {
  const root = base.replace(/\/+$/, "");
  const request = async (method: string, name: string, body?: Uint8Array<ArrayBuffer>) => {
    checkEntryName(name);
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    for (let tries = 0;; tries++) {
      let problem: string;
      try {
        const response = await fetch(`${root}/${name}`, {
          method,
          headers,
          redirect: "error",
          ...(body !== undefined && { body }),
        });
        if (response.ok || response.status === 404) return response;
        await response.body?.cancel();
        problem = `answers ${method} with ${response.status}`;
        if (response.status < 500 && response.status !== 429) throw refused(base, problem);
      } catch (error) {
        if (error instanceof InputError) throw error;
        problem = "cannot be reached";
      }
      if (tries >= pauses.length) throw refused(base, problem);
      await new Promise((resolve) => setTimeout(resolve, pauses[tries]));
    }
  };
  const done = async (response: Response) => {
    await response.body?.cancel();
    return response.ok;
  };
  const remove = async (name: string) => {
    await done(await request("DELETE", name));
  };
  return {
    async get(name) {
      const response = await request("GET", name);
      if (!response.ok) {
        await response.body?.cancel();
        return undefined;
      }
      const entry = new Uint8Array(await response.arrayBuffer());
      const bytes = entry.slice(SEAL);
      const seal = fromBase64(await sha256(bytes));
      if (entry.length >= SEAL && seal.every((byte, i) => byte === entry[i])) return bytes;
      await remove(name);
      return undefined;
    },
    async has(name) {
      return await done(await request("HEAD", name));
    },
    async put(name, kept) {
      const bytes = bytesOf(kept);
      const entry = new Uint8Array(SEAL + bytes.length);
      entry.set(bytes, SEAL);
      entry.set(fromBase64(await sha256(entry.subarray(SEAL))));
      if (await done(await request("PUT", name, entry))) return;
      throw refused(base, "answers PUT with 404");
    },
    remove,
  };
}

function refused(base: string, problem: string): InputError {
  return new InputError(
    `${shownUrl(base)}: ${problem}; GET, HEAD, PUT and DELETE of entries below it must be allowed`,
  );
}
