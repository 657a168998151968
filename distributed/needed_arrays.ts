import { removeEntries } from "../store/remove_entries.ts";
import { participants } from "./presence.ts";
import { KEY_PREFIX, type RedisLink, writeError } from "./redis_link.ts";
import type { SharedStore } from "./shared_store.ts";

/** What a run that is gone has said is dropped after this many seconds. */
const LIFETIME = 86_400;
/** Names that are sent at once. */
const AT_ONCE = 1000;

/**
 * The large arrays in a shared store that a run's tasks are made of: weights and factors of a model. They
 * are sent once for all passes, and go when neither this run needs them nor another that is there now.
 * One that comes later, or that the server forgot, sends them again.
 */
export class NeededArrays {
  readonly #link: RedisLink;
  readonly #shared: SharedStore;
  readonly #run: string;
  #needed: ReadonlySet<string> = new Set();
  /** Those that it needed once, and another run did when that was looked at last. */
  #left: readonly string[] = [];

  /** Those of a run of this name. */
  constructor(link: RedisLink, shared: SharedStore, run: string) {
    this.#link = link;
    this.#shared = shared;
    this.#run = run;
  }

  /** From now on the run needs these: removes those that it needed before, unless another run does. */
  async need(blobs: ReadonlySet<string>): Promise<void> {
    const gone = [...this.#left, ...this.#needed].filter((blob) => !blobs.has(blob));
    this.#needed = blobs;
    await this.#say(blobs, gone).catch((error) => {
      throw writeError(this.#link.address, error);
    });
    if (gone.length === 0) return;
    const others = await this.#neededByOthers(gone);
    await removeEntries(this.#shared.store, gone.filter((name) => !others.has(name)));
    this.#left = [...others];
  }

  /** How many arrays that the run does not need were left to others when that was looked at last. */
  get left(): number {
    return this.#left.length;
  }

  /** Lets others remove what the run has sent; it stays until they do. */
  async end(): Promise<void> {
    await this.#link.client.del(keyOf(this.#run));
  }

  async #say(needed: Iterable<string>, gone: readonly string[]): Promise<void> {
    const { client } = this.#link, key = keyOf(this.#run);
    for (const names of portions([...needed])) await client.sadd(key, ...names);
    for (const names of portions(gone)) await client.srem(key, ...names);
    await client.expire(key, LIFETIME);
  }

  async #neededByOthers(blobs: readonly string[]): Promise<Set<string>> {
    const found = new Set<string>();
    for (const { id, store } of await participants(this.#link, "run")) {
      if (id === this.#run || store !== this.#shared.label) continue;
      for (const names of portions(blobs)) {
        const are = await this.#link.client.smismember(keyOf(id), ...names);
        names.forEach((name, i) => are[i] === 1 && found.add(name));
      }
    }
    return found;
  }
}

function keyOf(run: string): string {
  return `${KEY_PREFIX}:needs:${run}`;
}

function* portions(names: readonly string[]): Generator<readonly string[], void> {
  for (let first = 0; first < names.length; first += AT_ONCE) {
    yield names.slice(first, first + AT_ONCE);
  }
}
