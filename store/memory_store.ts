import { bytesOf } from "../data/file_array.ts";
import { checkEntryName, type Store } from "./store.ts";

/**
 * A store in memory.
 *
 * ```ts
 * import { createMemoryStore } from "./memory_store.ts";
 * import assert from "node:assert";
 *
 * const store = createMemoryStore();
 * await store.put("answer", Uint8Array.of(42));
 * assert.deepEqual(await store.get("answer"), Uint8Array.of(42));
 * assert.equal(await store.get("question"), undefined);
 * ```
 */
export function createMemoryStore(): Store {
  const entries = new Map<string, Uint8Array>();
  return {
    get(name) {
      return Promise.resolve(entries.get(name)?.slice());
    },
    has(name) {
      return Promise.resolve(entries.has(name));
    },
    put(name, bytes) {
      checkEntryName(name);
      entries.set(name, Uint8Array.from(bytesOf(bytes)));
      return Promise.resolve();
    },
    remove(name) {
      entries.delete(name);
      return Promise.resolve();
    },
  };
}
