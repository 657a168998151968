import { removeEntries } from "../../store/remove_entries.ts";
import type { Store } from "../../store/store.ts";

/** What a pass needs in the store: results of its tasks while it runs, its code streams from then on. */
type Need = "results" | "code";

/** What a pass leaves, by the names of its entries. */
export interface LeftEntries {
  /** Results of its tasks, which it needs no more once it is kept. */
  readonly results?: readonly string[];
  /** Its code streams, which it needs no more either; those of others stay. */
  readonly code?: readonly string[];
}

/**
 * Passes of several searches that have the same tasks, in runs that share a store: what one of them
 * leaves goes when no other has begun or kept a pass with these tasks. A run that was killed is taken
 * to go on some day. Two that enter at the same moment may not see each other, nor is anybody seen where
 * the entry is damaged: what is then removed is made again.
 */
export class PassUsers {
  readonly #store: Store;

  /** Users of the results in a store. */
  constructor(store: Store) {
    this.#store = store;
  }

  /** To be called before the tasks of a group are run for a pass: it needs their results. */
  async enter(group: string, pass: string): Promise<void> {
    const users = await this.#read(group);
    if (users.get(pass) === "results") return;
    await this.#write(group, users.set(pass, "results"));
  }

  /** What a pass that has entered needs; undefined once it has left. */
  async need(group: string, pass: string): Promise<Need | undefined> {
    return (await this.#read(group)).get(pass);
  }

  /**
   * Removes what a pass leaves, unless another may need it; `needsCode` says whether it is going to call
   * this again for its code streams.
   */
  async leave(
    group: string,
    pass: string,
    { results = [], code = [] }: LeftEntries,
    needsCode: boolean,
  ): Promise<void> {
    const users = await this.#read(group);
    users.delete(pass);
    if (![...users.values()].includes("results")) await removeEntries(this.#store, results);
    if (users.size === 0) await removeEntries(this.#store, code);
    // At last, so that a run which is killed before removes the rest when it goes on.
    await this.#write(group, needsCode ? users.set(pass, "code") : users);
  }

  async #read(group: string): Promise<Map<string, Need>> {
    const users = new Map<string, Need>();
    const bytes = await this.#store.get(entryName(group));
    if (bytes === undefined) return users;
    for (const line of new TextDecoder().decode(bytes).split("\n")) {
      const [, pass, need] = LINE.exec(line) ?? [];
      if (pass !== undefined) users.set(pass, need as Need);
    }
    return users;
  }

  async #write(group: string, users: ReadonlyMap<string, Need>): Promise<void> {
    if (users.size === 0) return await this.#store.remove(entryName(group));
    const lines = [...users].sort().map(([pass, need]) => `${pass} ${need}`);
    await this.#store.put(entryName(group), new TextEncoder().encode(lines.join("\n")));
  }
}

/** A user as it stands in an entry; others are left out. */
const LINE = /^(pass-[\da-f]{64}) (results|code)$/;

function entryName(group: string): string {
  return `users-${group}`;
}
