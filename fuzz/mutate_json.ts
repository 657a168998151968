import type { Random } from "../kan/numeric/random.ts";

/** What JSON can hold. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** Values at which readers of JSON change their minds. */
const AWKWARD: readonly Json[] = [
  null,
  true,
  false,
  0,
  -1,
  1,
  2,
  0.5,
  1e9,
  2 ** 30,
  2 ** 31,
  2 ** 32,
  2 ** 53,
  1e308,
  -1e308,
  5e-324,
  "",
  "a",
  "__proto__",
  "constructor",
  "\u001b[2J",
  "é\u202e\u0000",
  "9".repeat(40),
  [],
  [[]],
  {},
  [0],
  [1, 1],
];

/** One of the awkward values, or a number near `near`. */
export function awkwardValue(random: Random, near?: Json): Json {
  if (typeof near === "number" && random.integer(2) === 0) {
    return near * 2 ** (random.integer(21) - 10) + random.integer(3) - 1;
  }
  return structuredClone(AWKWARD[random.integer(AWKWARD.length)]!);
}

/** A copy with one to three changes: values replaced, removed, repeated, moved, keys renamed. */
export function mutateJson(random: Random, value: Json): Json {
  const root = { root: structuredClone(value) };
  for (let times = 1 + random.integer(3); times > 0; times--) mutateOnce(random, root);
  return root.root ?? null;
}

interface Place {
  readonly parent: Json[] | { [key: string]: Json };
  readonly key: string;
}

function mutateOnce(random: Random, root: { root: Json }): void {
  const places = [...placesOf(root)];
  if (places.length === 0) return;
  const { parent, key } = places[random.integer(places.length)]!;
  const other = places[random.integer(places.length)]!;
  const items = parent as Record<string, Json>;
  switch (random.integer(8)) {
    case 0: // removed
      if (Array.isArray(parent)) parent.splice(Number(key), 1);
      else if (parent !== root) delete parent[key];
      break;
    case 1: // repeated
      if (Array.isArray(parent)) parent.splice(Number(key), 0, structuredClone(items[key]!));
      else if (parent !== root) define(parent, `${key}2`, structuredClone(items[key]!));
      break;
    case 2: // taken from elsewhere
      define(items, key, structuredClone((other.parent as Record<string, Json>)[other.key]!));
      break;
    case 3: // under another name
      if (!Array.isArray(parent) && parent !== root) {
        define(parent, String(awkwardValue(random)), items[key]!);
        delete parent[key];
      }
      break;
    case 4: // wrapped
      define(items, key, random.integer(2) === 0 ? [items[key]!] : { a: items[key]! });
      break;
    default:
      define(items, key, awkwardValue(random, items[key]));
  }
}

/** Sets a key, `__proto__` too. */
function define(items: object, key: string, value: Json): void {
  Object.defineProperty(items, key, {
    value,
    writable: true,
    enumerable: true,
    configurable: true,
  });
}

function* placesOf(parent: Json[] | { [key: string]: Json }): Generator<Place> {
  for (const [key, value] of Object.entries(parent)) {
    yield { parent, key };
    if (typeof value === "object" && value !== null) yield* placesOf(value);
  }
}
