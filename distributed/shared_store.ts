import { randomUUID } from "node:crypto";
import { InputError } from "../data/input_error.ts";
import { shownUrl } from "../data/shown_url.ts";
import { openFolderStore } from "../store/folder_store.ts";
import type { Store } from "../store/store.ts";
import { createHttpStore } from "./http_store.ts";
import type { RedisLink } from "./redis_link.ts";
import { createRedisStore } from "./redis_store.ts";

/** A store that several machines see. */
export interface SharedStore {
  /** The store. */
  readonly store: Store;
  /** The same on all machines that see this store, and on no others; part of names of queues. */
  readonly label: string;
}

/** The entry that tells one store from another. */
const IDENTITY = "store-identity";

/**
 * Opens the store that `--store` names: a folder, an address, or the Redis server itself where nothing
 * is named. Throws {@linkcode InputError} that names it if it cannot be used.
 */
export async function openSharedStore(
  place: string | undefined,
  link: RedisLink,
  token?: string,
): Promise<SharedStore> {
  if (place === undefined) return { store: createRedisStore(link), label: "redis" };
  const isAddress = /^[a-z][a-z\d+.-]+:\/\//i.test(place);
  if (isAddress && !/^https?:\/\//i.test(place)) {
    throw new InputError(`${shownUrl(place)}: name a folder, or an address that begins with https`);
  }
  const store = isAddress ? createHttpStore(place, { token }) : await openFolderStore(place);
  return { store, label: await identityOf(store, isAddress ? shownUrl(place) : place) };
}

async function identityOf(store: Store, place: string): Promise<string> {
  if (!await store.has(IDENTITY)) {
    await store.put(IDENTITY, new TextEncoder().encode(randomUUID()));
    // Another machine may have written its own at the same moment: the last one counts.
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  const label = new TextDecoder().decode(await store.get(IDENTITY));
  if (/^[\da-f-]{36}$/.test(label)) return label.slice(0, 8);
  throw new InputError(
    `${place}: its entry ${IDENTITY} is not one of kanpress; name another store`,
  );
}
