import { Buffer } from "node:buffer";
import { byteLengthOf, bytesOf } from "../data/file_array.ts";
import { InputError } from "../data/input_error.ts";
import { checkEntryName, type Store } from "../store/store.ts";
import { KEY_PREFIX, type RedisLink, writeError } from "./redis_link.ts";

/** An entry that nobody asked for in this many seconds is gone. */
const LIFETIME = 3600;
/** Small ones that say who needs others, which are used in the meantime. */
const LIFETIME_OF_USERS = 86_400;
/** Redis takes half a gibibyte; a larger entry belongs into a folder. */
const LARGEST_ENTRY = 2 ** 28;

/**
 * A store in the Redis server that has the queue, for models that fit into its memory: entries go an
 * hour after they were last used. `put` throws {@linkcode InputError} where an entry has more than
 * 256 MiB or the server has no memory left.
 */
export function createRedisStore({ data: client, address }: RedisLink): Store {
  const keyOf = (name: string) => {
    checkEntryName(name);
    return `${KEY_PREFIX}:store:${name}`;
  };
  // To read an entry is to write when it goes.
  const named = <T>(answer: Promise<T>) =>
    answer.catch((error) => {
      throw writeError(address, error);
    });
  const lifetimeOf = (name: string) => name.startsWith("users-") ? LIFETIME_OF_USERS : LIFETIME;
  return {
    async get(name) {
      const bytes = await named(client.getexBuffer(keyOf(name), "EX", lifetimeOf(name)));
      // A copy of its own: small replies share a buffer, in which arrays would not be aligned.
      return bytes === null ? undefined : new Uint8Array(bytes);
    },
    async has(name) {
      return await named(client.expire(keyOf(name), lifetimeOf(name))) === 1;
    },
    async put(name, bytes) {
      const length = byteLengthOf(bytes);
      if (length > LARGEST_ENTRY) {
        throw new InputError(
          `${address}: an array of ${length} bytes is too large for Redis; name a folder that ` +
            "all machines see, or an address, with --store",
        );
      }
      const own = Buffer.from(bytesOf(bytes));
      await named(client.set(keyOf(name), own, "EX", lifetimeOf(name)));
    },
    async remove(name) {
      await named(client.del(keyOf(name)));
    },
  };
}
