import type { Random } from "../kan/numeric/random.ts";

/**
 * A reader of input from outside, and a source of inputs that are almost sound. One file of
 * `fuzz/targets/` exports one as `target`; its name is that of the file.
 */
export interface FuzzTarget {
  /** Name, as `--target` takes it. */
  readonly name: string;
  /** What is read and how its inputs are made, in one sentence. */
  readonly description: string;
  /** The next input; a function of what `random` gives alone. */
  mutate(random: Random): Uint8Array | Promise<Uint8Array>;
  /**
   * Reads an input as the toolkit does. Returns, or throws {@linkcode InputError}; anything else, a
   * hang, or growth of memory is a fault. Results that are returned should be checked.
   */
  read(input: Uint8Array): Promise<void>;
}

/** Names of all targets, in order. */
export async function targetNames(): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of Deno.readDir(new URL("targets/", import.meta.url))) {
    if (name.endsWith(".ts") && !name.endsWith("_test.ts")) names.push(name.slice(0, -3));
  }
  return names.sort();
}

/** Loads a target of {@linkcode targetNames}, or that of a module by its address. */
export async function loadTarget(name: string): Promise<FuzzTarget> {
  const module = name.startsWith("file:") ? name : `targets/${name}.ts`;
  const { target } = await import(new URL(module, import.meta.url).href);
  if (typeof target?.read !== "function") throw new Error(`${module} exports no target`);
  return target;
}

/** The seed of one case of a target, so that any case can be made alone. */
export function caseSeed(target: string, seed: number, number: number): number {
  // FNV-1a over the three, so that targets and runs do not share cases.
  let hash = 0x811c9dc5;
  for (const character of `${target} ${seed} ${number}`) {
    hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193);
  }
  return hash >>> 0;
}
