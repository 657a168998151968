import { quoteValue } from "../quote.ts";
import type { Fields } from "./fields.ts";

/** What makes tokens of a piece of text: the `model` of tokenizer.json. */
export interface TokenModel {
  /** Ids by their tokens. */
  readonly vocabulary: ReadonlyMap<string, number>;
  /** Entries of the vocabulary, tokens that come twice counted twice. */
  readonly size: number;
  /** Ids of a piece's tokens. */
  tokenize(piece: string): Int32Array;
  /** Cuts a piece into parts whose tokens, one after another, are those of the whole. */
  parts?(piece: string): Iterable<string>;
}

/** Beyond this, ids are too sparse to be those of a model's embeddings. */
const SPARSEST = 4;
const SMALLEST_BOUND = 1_000_000;

/** Reads `vocab`, an object of ids by tokens. */
export function readVocabulary(fields: Fields): Map<string, number> {
  const entries = Object.entries(fields.component("vocab").all());
  const vocabulary = new Map<string, number>();
  const bound = Math.max(SMALLEST_BOUND, SPARSEST * entries.length);
  for (const [token, id] of entries) {
    vocabulary.set(token, checkId(fields, token, id, bound));
  }
  return vocabulary;
}

/** Tokens that a model tries one after another at each place are at most so long. */
const LONGEST_TOKEN = 1024;

/** The length of the longest token; throws where it is longer than any that is known. */
export function longestToken(fields: Fields, tokens: Iterable<string>): number {
  let longest = "";
  for (const token of tokens) if (token.length > longest.length) longest = token;
  if (longest.length <= LONGEST_TOKEN) return longest.length;
  throw fields.unsupported(
    `a token of ${longest.length} characters`,
    `it begins with ${quoteValue(longest.slice(0, 20))}; the longest may have ${LONGEST_TOKEN}`,
  );
}

/** Returns the id of a token; throws where it is none that a model can have. */
export function checkId(fields: Fields, token: string, id: unknown, bound: number): number {
  if (typeof id === "number" && Number.isInteger(id) && id >= 0 && id < bound) return id;
  throw fields.error(
    `gives ${quoteValue(token)} the id ${quoteValue(id)}, which is not ` +
      `a whole number from 0 to ${bound - 1}`,
  );
}

/** The ids of a token's UTF-8 bytes, written as `<0x0A>`; undefined unless each byte has a token. */
export function byteFallback(
  vocabulary: ReadonlyMap<string, number>,
): (token: string) => number[] | undefined {
  const encoder = new TextEncoder();
  const ids = Array.from(
    { length: 256 },
    (_, byte) => vocabulary.get(`<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`),
  );
  return (token) => {
    const found = Array.from(encoder.encode(token), (byte) => ids[byte]);
    return found.every((id) => id !== undefined) ? found : undefined;
  };
}
