import {
  type Cursor,
  escapeCodePoint,
  parseClass,
  parseEscape,
  takeCodePoint,
  takeText,
  WORD,
} from "./parse_class.ts";
import { PatternError } from "./pattern_error.ts";
import { type PatternNode, type Repetition, widths } from "./syntax.ts";

/** Pairs of letters that Oniguruma also finds as one letter, such as ß or ﬆ, without case. */
const FOLDED_PAIR = /ss|st|f[fil]/i;

/**
 * Parses a regular expression as Oniguruma reads it in Ruby's syntax. Throws a
 * {@linkcode PatternError} for what is not supported, such as back references.
 */
export function parsePattern(source: string): PatternNode {
  const cursor: Cursor = { source, at: 0 };
  const node = parseChoice(cursor, false, 0);
  if (cursor.at < source.length) throw new PatternError("it has an unexpected )");
  return node;
}

function parseChoice(cursor: Cursor, ignoreCase: boolean, depth: number): PatternNode {
  if (depth > 50) throw new PatternError("its groups are nested too deeply");
  const ignoring = ignoreCase || takeText(cursor, "(?i)");
  const options = [parseSequence(cursor, ignoring, depth)];
  while (takeText(cursor, "|")) options.push(parseSequence(cursor, ignoring, depth));
  return options.length === 1 ? options[0]! : { kind: "choice", options };
}

function parseSequence(cursor: Cursor, ignoreCase: boolean, depth: number): PatternNode {
  const start = cursor.at;
  const parts: PatternNode[] = [];
  while (cursor.at < cursor.source.length && !"|)".includes(cursor.source[cursor.at]!)) {
    parts.push(parseRepetition(cursor, parseAtom(cursor, ignoreCase, depth)));
  }
  if (ignoreCase && FOLDED_PAIR.test(cursor.source.slice(start, cursor.at))) {
    throw new PatternError("it ignores the case of letters that are also one letter, such as ss");
  }
  return parts.length === 1 ? parts[0]! : { kind: "sequence", parts };
}

function parseAtom(cursor: Cursor, ignoreCase: boolean, depth: number): PatternNode {
  const set = (source: string): PatternNode => ({ kind: "set", source, ignoreCase });
  const character = cursor.source[cursor.at]!;
  if (takeText(cursor, "(")) return parseGroup(cursor, ignoreCase, depth);
  if (takeText(cursor, "[")) {
    const start = cursor.at;
    const members = parseClass(cursor);
    // Oniguruma adds the other case to what is left; JavaScript leaves out both.
    if (ignoreCase && /&&|\[\^/.test(cursor.source.slice(start, cursor.at))) {
      throw new PatternError("it ignores the case of a class with another one taken out");
    }
    return set(members);
  }
  if (takeText(cursor, ".")) return set("^\\n");
  if (takeText(cursor, "^")) return { kind: "place", place: "lineStart" };
  if (takeText(cursor, "$")) return { kind: "place", place: "lineEnd" };
  if (takeText(cursor, "\\")) {
    const place = places[cursor.source[cursor.at] ?? ""];
    if (place !== undefined) {
      cursor.at += 1;
      return { kind: "place", place };
    }
    const isWord = /^(w|p\{\^?Word\})/i.test(cursor.source.slice(cursor.at, cursor.at + 8));
    const found = parseEscape(cursor);
    if (typeof found !== "string") return set(escapeCodePoint(found));
    return set(isWord ? found.startsWith("[^") ? `^${WORD}` : WORD : found);
  }
  if ("*+?".includes(character)) throw new PatternError(`it repeats nothing with ${character}`);
  return set(escapeCodePoint(takeCodePoint(cursor)));
}

const places: Readonly<Record<string, (PatternNode & { kind: "place" })["place"]>> = {
  A: "start",
  z: "end",
  Z: "lastLine",
  b: "word",
  B: "notWord",
};

function parseGroup(cursor: Cursor, ignoreCase: boolean, depth: number): PatternNode {
  const close = (node: PatternNode): PatternNode => {
    if (!takeText(cursor, ")")) throw new PatternError("a group is not closed");
    return node;
  };
  const body = (ignoring = ignoreCase) => close(parseChoice(cursor, ignoring, depth + 1));
  if (!takeText(cursor, "?")) return body();
  if (takeText(cursor, ":")) return body();
  if (takeText(cursor, "i:")) return body(true);
  if (takeText(cursor, "-i:")) return body(false);
  if (takeText(cursor, ">")) return { kind: "atomic", body: body() };
  for (const [text, behind, negative] of looks) {
    if (takeText(cursor, text)) return look(body(), behind, negative);
  }
  throw new PatternError(
    `it has a group that begins (?${cursor.source.slice(cursor.at, cursor.at + 2)}`,
  );
}

const looks: readonly (readonly [text: string, behind: boolean, negative: boolean])[] = [
  ["=", false, false],
  ["!", false, true],
  ["<=", true, false],
  ["<!", true, true],
];

function look(body: PatternNode, behind: boolean, negative: boolean): PatternNode {
  if (behind) {
    for (const option of body.kind === "choice" ? body.options : [body]) {
      const [least, most] = widths(option);
      if (least !== most) throw new PatternError("it looks behind for texts of several lengths");
    }
  }
  return { kind: "look", body, behind, negative };
}

function parseRepetition(cursor: Cursor, body: PatternNode): PatternNode {
  const found = parseCount(cursor);
  if (found === undefined) return body;
  if (body.kind === "place" || body.kind === "look") throw new PatternError("it repeats a place");
  const { least, most } = found;
  if (most > 1 && widths(body)[0] === 0) {
    throw new PatternError("it repeats something that may be empty");
  }
  const { mode } = found;
  if (parseCount(cursor) !== undefined) throw new PatternError("it repeats a repetition");
  return { kind: "repeat", body, least, most, mode };
}

const simpleCounts: readonly (readonly [text: string, least: number, most: number])[] = [
  ["*", 0, Infinity],
  ["+", 1, Infinity],
  ["?", 0, 1],
];

function parseCount(cursor: Cursor): Repetition | undefined {
  for (const [text, least, most] of simpleCounts) {
    if (!takeText(cursor, text)) continue;
    const mode = takeText(cursor, "?") ? "lazy" : takeText(cursor, "+") ? "possessive" : "greedy";
    return { least, most, mode };
  }
  const interval = /^\{(\d*)(,?)(\d*)\}/.exec(cursor.source.slice(cursor.at, cursor.at + 32));
  if (interval === null || interval[1] === "" && interval[3] === "") return undefined;
  cursor.at += interval[0].length;
  const least = Number(interval[1]);
  const exact = interval[2] === "";
  const most = exact ? least : interval[3] === "" ? Infinity : Number(interval[3]);
  if (most < least) throw new PatternError("it repeats at most less often than at least");
  if (exact && cursor.source[cursor.at] === "?") throw new PatternError("it repeats a repetition");
  return { least, most, mode: takeText(cursor, "?") ? "lazy" : "greedy" };
}
