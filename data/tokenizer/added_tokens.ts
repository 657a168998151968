import { quoteValue } from "../quote.ts";
import type { Fields } from "./fields.ts";
import type { Normalizer } from "./normalizers.ts";

/** A token that is found in a text before the rest is split. */
export interface AddedToken {
  readonly id: number;
  readonly content: string;
  /** Whether it is not for text: written only by the model or its user interface. */
  readonly special: boolean;
  /** Whether it is looked for in the normalized text. */
  readonly normalized: boolean;
  /** Whether it takes the white space before it along. */
  readonly stripsLeft: boolean;
  /** Whether it takes the white space after it along. */
  readonly stripsRight: boolean;
  /** Whether it counts only where no word goes on at either side. */
  readonly singleWord: boolean;
}

/**
 * Reads an element of `added_tokens`. The Rust library numbers them itself, whatever the file says,
 * so that other numbers are refused; `expectedId` is what it gives this one.
 */
export function readAddedToken(
  fields: Fields,
  expectedId: (content: string) => number,
): AddedToken {
  fields.allow("id", "content", "special", "normalized", "lstrip", "rstrip", "single_word");
  const content = fields.text("content");
  const id = fields.count("id", -1);
  if (content === "") throw fields.error("is empty");
  const expected = expectedId(content);
  if (id !== expected) {
    throw fields.error(
      `gives ${quoteValue(content)} the id ${id}, but after the vocabulary and ` +
        `the added tokens before it its id is ${expected}`,
    );
  }
  const special = fields.flag("special", false);
  return {
    id,
    content,
    special,
    normalized: fields.flag("normalized", !special),
    stripsLeft: fields.flag("lstrip", false),
    stripsRight: fields.flag("rstrip", false),
    singleWord: fields.flag("single_word", false),
  };
}

/** A part of a text: an added token, or text between such. */
export interface TextPart {
  readonly text: string;
  /** Whether it begins the text. */
  readonly first: boolean;
  /** The id, where it is an added token. */
  readonly id?: number;
}

/** Finds added tokens in texts: the leftmost, and of those the longest. */
export class AddedTokenFinder {
  readonly #tokens = new Map<string, AddedToken>();
  /** Lengths of the tokens that begin with a UTF-16 unit, the longest first. */
  readonly #lengths = new Map<string, number[]>();
  /** Finds a unit that some token begins with. */
  readonly #beginning: RegExp | undefined;

  /** `normalize` is applied to the tokens, which are those of one kind, before they are found. */
  constructor(tokens: readonly AddedToken[], normalize: Normalizer = (text) => text) {
    for (const token of tokens) {
      const content = normalize(token.content);
      if (content === "") continue;
      this.#tokens.set(content, token);
      const lengths = this.#lengths.get(content[0]!) ?? [];
      if (!lengths.includes(content.length)) lengths.push(content.length);
      this.#lengths.set(content[0]!, lengths.sort((a, b) => b - a));
    }
    if (this.#lengths.size === 0) return;
    const units = Array.from(
      this.#lengths.keys(),
      (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
    );
    this.#beginning = new RegExp(`[${units.join("")}]`, "g");
  }

  /** Cuts a text into added tokens and what is between them. */
  *split(text: string): Generator<TextPart> {
    let from = 0;
    for (let at = this.#next(text, 0); at >= 0;) {
      const length = this.#lengthAt(text, at);
      const token = length === 0 ? undefined : this.#tokens.get(text.slice(at, at + length))!;
      const end = at + length;
      if (token === undefined || token.singleWord && isInWord(text, at, end)) {
        at = this.#next(text, Math.max(at + 1, end));
        continue;
      }
      const start = token.stripsLeft ? Math.max(from, leftOfSpace(text, at)) : at;
      if (start > from) yield { text: text.slice(from, start), first: from === 0 };
      from = token.stripsRight ? rightOfSpace(text, end) : end;
      yield { text: text.slice(start, from), first: start === 0, id: token.id };
      at = this.#next(text, end);
      while (at >= 0 && at < from) at = this.#next(text, at + 1);
    }
    if (from < text.length) yield { text: text.slice(from), first: from === 0 };
  }

  #next(text: string, from: number): number {
    if (this.#beginning === undefined || from > text.length) return -1;
    this.#beginning.lastIndex = from;
    return this.#beginning.exec(text)?.index ?? -1;
  }

  #lengthAt(text: string, at: number): number {
    for (const length of this.#lengths.get(text[at]!)!) {
      if (this.#tokens.has(text.slice(at, at + length))) return length;
    }
    return 0;
  }
}

const word = /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]/u;
const space = /\p{White_Space}/u;

function isInWord(text: string, start: number, end: number): boolean {
  const before = /.$/su.exec(text.slice(Math.max(0, start - 2), start))?.[0] ?? "";
  const after = String.fromCodePoint(text.codePointAt(end) ?? 0x20);
  return word.test(before) || word.test(after);
}

function leftOfSpace(text: string, at: number): number {
  while (at > 0 && space.test(text[at - 1]!)) at -= 1;
  return at;
}

function rightOfSpace(text: string, at: number): number {
  while (at < text.length && space.test(text[at]!)) at += 1;
  return at;
}
