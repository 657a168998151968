import { createMemoryStore } from "../store/memory_store.ts";
import type { Store } from "../store/store.ts";

/** A store as another one with some other entries; whatever is done to it, that one stays as it is. */
export function changedStore(store: Store, changes: ReadonlyMap<string, Uint8Array>): Store {
  const own = createMemoryStore(), gone = new Set<string>();
  const isChanged = (name: string) => changes.has(name) && !gone.has(name);
  return {
    put: own.put,
    async get(name) {
      if (isChanged(name)) return changes.get(name)!.slice();
      return await own.get(name) ?? (gone.has(name) ? undefined : await store.get(name));
    },
    async has(name) {
      return isChanged(name) || await own.has(name) || !gone.has(name) && await store.has(name);
    },
    async remove(name) {
      gone.add(name);
      await own.remove(name);
    },
  };
}
