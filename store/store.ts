import type { KeptBytes } from "../data/file_array.ts";
import { InputError } from "../data/input_error.ts";
import { quote } from "../data/quote.ts";

/**
 * Where the results of work are kept, by names that say what they are: a hash of their bytes or of
 * all that they were computed from. So an entry is never changed, and whoever has its name can take
 * it in place of doing the work; those that say who needs which are not relied on.
 */
export interface Store {
  /** The bytes of an entry; undefined if there is none, or if it was damaged and had to be removed. */
  get(name: string): Promise<Uint8Array | undefined>;
  /** Whether there is an entry; it may still turn out to be damaged. */
  has(name: string): Promise<boolean>;
  /** Keeps an entry, whole or not at all; the bytes may be overwritten afterwards, or their file. */
  put(name: string, bytes: KeptBytes): Promise<void>;
  /** Removes an entry, if it is there. */
  remove(name: string): Promise<void>;
}

/** Names as every kind of store can have them: part of a path or an address, one case. */
const NAME = /^[a-z0-9][a-z0-9-]{0,127}$/;

/** Throws {@linkcode InputError} if a name, which may come from elsewhere, is none of an entry. */
export function checkEntryName(name: string): void {
  if (NAME.test(name)) return;
  throw new InputError(`${quote(name)}: is no name of an entry; use a to z, 0 to 9 and hyphens`);
}
