import type { RemoteFile } from "../../data/url_source.ts";

/** Name of the cache, as the platform lists it. */
const CACHE = "kanpress";

/** A file that was kept, and what tells whether it is still that of the server. */
export interface KeptFile {
  readonly bytes: Uint8Array;
  readonly etag?: string;
}

/** The file that an earlier visit kept of a URL, where the platform has a Cache API and it is there. */
export async function findKept(url: string): Promise<KeptFile | undefined> {
  const response = await attempt(async () => await (await caches.open(CACHE)).match(url));
  if (response === undefined) return undefined;
  const etag = response.headers.get("etag") ?? undefined;
  const bytes = new Uint8Array(await response.arrayBuffer());
  return etag === undefined ? { bytes } : { bytes, etag };
}

/** Whether a kept file is what the server has: by the entity tag, or else by the size. */
export function isCurrent(kept: KeptFile, { etag, byteLength }: RemoteFile): boolean {
  return kept.bytes.length === byteLength && kept.etag === etag;
}

/** Keeps a file for later visits; false where the platform cannot, such as for want of room. */
export async function keep(url: string, bytes: Uint8Array, etag?: string): Promise<boolean> {
  const headers = {
    "content-type": "application/octet-stream",
    "content-length": String(bytes.length),
    ...(etag === undefined ? {} : { etag }),
  };
  const done = await attempt(async () => {
    const body = bytes as Uint8Array<ArrayBuffer>;
    await (await caches.open(CACHE)).put(url, new Response(body, { headers }));
    return true;
  });
  return done === true;
}

/** Drops a kept file, such as one that is damaged. */
export async function forget(url: string): Promise<void> {
  await attempt(async () => await (await caches.open(CACHE)).delete(url));
}

/** What the cache gives; undefined where there is none, or it refuses. */
async function attempt<Result>(work: () => Promise<Result>): Promise<Result | undefined> {
  if (typeof caches === "undefined") return undefined;
  try {
    return await work();
  } catch {
    return undefined;
  }
}
