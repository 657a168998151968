import type { Store } from "./store.ts";

/** Entries that are removed at once: some stores are far away. */
const AT_ONCE = 16;

/** Removes entries, those that are there. */
export async function removeEntries(store: Store, names: readonly string[]): Promise<void> {
  for (let first = 0; first < names.length; first += AT_ONCE) {
    const some = names.slice(first, first + AT_ONCE);
    await Promise.all(some.map((name) => store.remove(name)));
  }
}
