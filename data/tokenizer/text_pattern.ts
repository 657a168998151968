import { quoteValue } from "../quote.ts";
import { InputError } from "../input_error.ts";
import type { Fields } from "./fields.ts";
import { type Match, Pattern } from "./pattern/pattern.ts";
import { PatternError } from "./pattern/pattern_error.ts";

/** Finds what matches in a text, from left to right and not overlapping. */
export type FindMatches = (text: string) => Iterable<Match>;

/** Reads `pattern`, which is `{ "String": … }` or `{ "Regex": … }`. */
export function readPattern(fields: Fields): FindMatches {
  const pattern = fields.component("pattern");
  pattern.allow("String", "Regex");
  const source = pattern.text("Regex", undefined);
  if (source !== undefined) return findRegex(fields, source);
  const text = pattern.text("String");
  if (text === "") throw fields.unsupported("an empty pattern", "it matches everywhere");
  return (whole) => findText(whole, text);
}

/** Finds a regular expression of tokenizer.json, within a bounded number of steps. */
export function findRegex(fields: Fields, source: string): FindMatches {
  const shown = quoteValue(source);
  let pattern: Pattern;
  try {
    pattern = new Pattern(source);
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    throw fields.unsupported(`the regular expression ${shown}`, error.message);
  }
  return function* (text) {
    try {
      yield* pattern.matches(text);
    } catch (error) {
      if (!(error instanceof PatternError)) throw error;
      throw new InputError(
        `${fields.place}: the regular expression ${shown} takes too many steps on this text; ` +
          "use another tokenizer or another text",
        { cause: error },
      );
    }
  };
}

function* findText(whole: string, text: string): Generator<Match> {
  for (let start = whole.indexOf(text); start >= 0;) {
    const end = start + text.length;
    yield { start, end };
    start = whole.indexOf(text, end);
  }
}

/** Finds single characters by a RegExp with the flags `g` and `v` or `u` that matches only such. */
export function findCharacters(character: RegExp): FindMatches {
  return function* (text) {
    for (const { index, 0: { length } } of text.matchAll(character)) {
      yield { start: index, end: index + length };
    }
  };
}

/** Writes `content` for each match. */
export function replaceMatches(text: string, find: FindMatches, content: string): string {
  let replaced = "";
  let from = 0;
  for (const { start, end } of find(text)) {
    replaced += text.slice(from, start) + content;
    from = end;
  }
  return from === 0 && replaced === "" ? text : replaced + text.slice(from);
}
