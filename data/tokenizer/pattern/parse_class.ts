import { PatternError } from "./pattern_error.ts";

/** Where a parser stands in a pattern. */
export interface Cursor {
  readonly source: string;
  at: number;
}

/** White space as Unicode and Oniguruma have it: without U+FEFF, which JavaScript's `\s` has. */
const SPACE = "\\p{White_Space}";
/** Letters, marks, digits and connectors. */
const WORD_IN_CLASS = "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}";
/** Outside of classes Oniguruma also takes ², ³, ¹ and ¼ to ¾ for parts of words. */
export const WORD = `${WORD_IN_CLASS}\\u{b2}\\u{b3}\\u{b9}\\u{bc}-\\u{be}`;

const shorthands: Readonly<Record<string, string>> = {
  s: SPACE,
  S: `[^${SPACE}]`,
  d: "\\p{Nd}",
  D: "\\P{Nd}",
  w: WORD_IN_CLASS,
  W: `[^${WORD_IN_CLASS}]`,
  h: "0-9A-Fa-f",
  H: "[^0-9A-Fa-f]",
};

const namedCharacters: Readonly<Record<string, number>> = {
  t: 9,
  n: 10,
  v: 11,
  f: 12,
  r: 13,
  a: 7,
  e: 27,
};

/** A code point as it is written inside a class with the flag `v`. */
export function escapeCodePoint(codePoint: number): string {
  return `\\u{${codePoint.toString(16)}}`;
}

/** Reads the code point at the cursor and moves on. */
export function takeCodePoint(cursor: Cursor): number {
  const codePoint = cursor.source.codePointAt(cursor.at);
  if (codePoint === undefined) throw new PatternError("it ends too early");
  cursor.at += codePoint > 0xffff ? 2 : 1;
  return codePoint;
}

/** Moves past `text` where it comes next. */
export function takeText(cursor: Cursor, text: string): boolean {
  if (!cursor.source.startsWith(text, cursor.at)) return false;
  cursor.at += text.length;
  return true;
}

/**
 * Reads an escape behind its backslash: a code point, or the members of a set as they are written
 * inside a class.
 */
export function parseEscape(cursor: Cursor): number | string {
  const letter = String.fromCodePoint(takeCodePoint(cursor));
  const set = shorthands[letter];
  if (set !== undefined) return set;
  if (letter === "p" || letter === "P") return parseProperty(cursor, letter === "P");
  const named = namedCharacters[letter];
  if (named !== undefined) return named;
  if (letter === "x") {
    return parseHexadecimal(cursor, /^\{([0-9A-Fa-f]{1,6})\}|^([0-9A-Fa-f]{1,2})/);
  }
  if (letter === "u") return parseHexadecimal(cursor, /^([0-9A-Fa-f]{4})/);
  if (/[A-Za-z0-9]/.test(letter)) throw new PatternError(`it has \\${letter}`);
  return letter.codePointAt(0)!;
}

function parseHexadecimal(cursor: Cursor, form: RegExp): number {
  const found = form.exec(cursor.source.slice(cursor.at, cursor.at + 8));
  if (found === null) throw new PatternError("a number of a character is cut short");
  cursor.at += found[0].length;
  const codePoint = Number.parseInt(found[1] ?? found[2]!, 16);
  if (codePoint > 0x10ffff || codePoint >= 0xd800 && codePoint <= 0xdfff) {
    throw new PatternError(`${found[0]} is the number of no character`);
  }
  return codePoint;
}

/** Names that Oniguruma knows and JavaScript does not, or means otherwise. */
const properties: ReadonlyMap<string, string> = new Map([
  ["Alpha", "\\p{Alphabetic}"],
  ["Alnum", "\\p{Alphabetic}\\p{Nd}"],
  ["Digit", "\\p{Nd}"],
  ["Lower", "\\p{Lowercase}"],
  ["Space", SPACE],
  ["Upper", "\\p{Uppercase}"],
  ["Word", WORD_IN_CLASS],
]);

function parseProperty(cursor: Cursor, negated: boolean): string {
  const found = /^\{(\^?)([A-Za-z_]+)\}/.exec(cursor.source.slice(cursor.at, cursor.at + 64));
  if (found === null) throw new PatternError("a property has no name in braces");
  cursor.at += found[0].length;
  const name = found[2]!;
  const set = properties.get(name) ?? knownProperty(name);
  return negated === (found[1] === "^") ? set : `[^${set}]`;
}

function knownProperty(name: string): string {
  for (const set of [`\\p{${name}}`, `\\p{Script=${name}}`]) {
    try {
      new RegExp(set, "v");
      // Properties of strings match more than one code point.
      new RegExp(`[^${set}]`, "v");
      return set;
    } catch {
      continue;
    }
  }
  throw new PatternError(`it has the property ${name}`);
}

/** Reads a class behind its `[`, and returns it as it is written inside one with the flag `v`. */
export function parseClass(cursor: Cursor, depth = 0): string {
  if (depth > 20) throw new PatternError("its classes are nested too deeply");
  const negated = takeText(cursor, "^");
  const intersected: string[] = [];
  let members = "";
  let first = true;
  while (first || !takeText(cursor, "]")) {
    if (takeText(cursor, "&&")) {
      intersected.push(members);
      members = "";
    } else if (takeText(cursor, "[")) {
      if (cursor.source[cursor.at] === ":") throw new PatternError("it has a POSIX class");
      members += `[${parseClass(cursor, depth + 1)}]`;
    } else {
      members += parseMember(cursor);
    }
    first = false;
  }
  const parts = [...intersected, members];
  if (parts.some((part) => part === "")) throw new PatternError("it has an empty class");
  const whole = parts.length === 1 ? parts[0]! : `[${parts.map((part) => `[${part}]`).join("&&")}]`;
  return negated ? `[^${whole}]` : whole;
}

/** A character, a range or a shorthand. */
function parseMember(cursor: Cursor): string {
  const low = parseClassCharacter(cursor);
  if (typeof low === "string") return low;
  const rest = cursor.source.slice(cursor.at, cursor.at + 2);
  if (!/^-[^\]]/s.test(rest)) return escapeCodePoint(low);
  cursor.at += 1;
  if (cursor.source[cursor.at] === "[") throw new PatternError("a range ends in a class");
  const high = parseClassCharacter(cursor);
  if (typeof high === "string" || high < low) throw new PatternError("it has a range that is none");
  return `${escapeCodePoint(low)}-${escapeCodePoint(high)}`;
}

function parseClassCharacter(cursor: Cursor): number | string {
  if (!takeText(cursor, "\\")) return takeCodePoint(cursor);
  if (takeText(cursor, "b")) return 8;
  return parseEscape(cursor);
}
