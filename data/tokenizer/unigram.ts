import { quoteValue } from "../quote.ts";
import type { Fields } from "./fields.ts";
import { PairTable } from "./pair_table.ts";
import { byteFallback, checkId, longestToken, type TokenModel } from "./token_model.ts";

/** An unknown character costs so much more than the least likely token. */
const UNKNOWN_PENALTY = 10;
/** Words that are longer, in UTF-16 units, are not remembered. */
const LONGEST_KEPT = 64;
/** So many words are remembered before all are forgotten. */
const MOST_KEPT = 100_000;

/** SentencePiece's unigram model: the tokens whose log probabilities have the greatest sum. */
export function createUnigram(fields: Fields): TokenModel {
  fields.allow("vocab", "unk_id", "byte_fallback");
  const { tokens, scores } = readScores(fields);
  const vocabulary = new Map(tokens.map((token, id) => [token, id]));
  const unknown = fields.value("unk_id") ?? undefined;
  const unknownId = unknown === undefined
    ? undefined
    : checkId(fields, "unk_id", unknown, tokens.length);
  const bytes = fields.flag("byte_fallback", false) ? byteFallback(vocabulary) : undefined;
  longestToken(fields, tokens);
  const prefixes = new TokenPrefixes(vocabulary);
  const unknownScore = scores.reduce((least, score) => Math.min(least, score), Infinity) -
    UNKNOWN_PENALTY;
  const words = new Map<string, Int32Array>();

  function missingUnknown(piece: string): Error {
    return fields.error(
      `names no unk_id, and has no token for ${quoteValue(piece)}`,
    );
  }

  /** Where the best token that ends at each position begins, and its id. */
  function bestPath(piece: string): { starts: Int32Array; ids: Int32Array } {
    const total = new Float64Array(piece.length + 1);
    const starts = new Int32Array(piece.length + 1).fill(-1);
    const ids = new Int32Array(piece.length + 1);
    const offer = (start: number, end: number, id: number, score: number) => {
      const candidate = total[start]! + score;
      if (starts[end]! >= 0 && candidate <= total[end]!) return;
      total[end] = candidate;
      starts[end] = start;
      ids[end] = id;
    };
    for (let start = 0; start < piece.length;) {
      const next = start + (piece.codePointAt(start)! > 0xffff ? 2 : 1);
      let single = false;
      prefixes.find(piece, start, (end, id) => {
        offer(start, end, id, scores[id]!);
        single ||= end === next;
      });
      if (!single) {
        if (unknownId === undefined) throw missingUnknown(piece);
        offer(start, next, unknownId, unknownScore);
      }
      start = next;
    }
    return { starts, ids };
  }

  /** The ids of a text that became one token, or several unknown ones that are joined. */
  function idsOf(token: string): number[] {
    const id = vocabulary.get(token);
    if (id !== undefined) return [id];
    const fallback = bytes?.(token);
    if (fallback !== undefined) return fallback;
    if (unknownId === undefined) throw missingUnknown(token);
    return [unknownId];
  }

  function split(piece: string): Int32Array {
    const { starts, ids } = bestPath(piece);
    const found: number[][] = [];
    for (let end = piece.length; end > 0;) {
      let start = starts[end]!;
      if (ids[end] === unknownId) {
        while (start > 0 && ids[start] === unknownId) start = starts[start]!;
      }
      found.push(idsOf(piece.slice(start, end)));
      end = start;
    }
    return Int32Array.from(found.reverse().flat());
  }

  function tokenize(piece: string): Int32Array {
    if (piece.length > LONGEST_KEPT) return split(piece);
    const known = words.get(piece);
    if (known !== undefined) return known;
    const ids = split(piece);
    if (words.size >= MOST_KEPT) words.clear();
    words.set(piece, ids);
    return ids;
  }

  return { vocabulary, size: tokens.length, tokenize };
}

function readScores(fields: Fields): { tokens: string[]; scores: Float64Array } {
  const list = fields.list("vocab");
  const scores = new Float64Array(list.length);
  const tokens = list.map((item, id) => {
    const [token, score] = Array.isArray(item) ? item : [];
    if (typeof token !== "string" || typeof score !== "number") {
      throw fields.error(`has in vocab[${id}] no token with its score`);
    }
    scores[id] = score;
    return token;
  });
  return { tokens, scores };
}

/** Finds the tokens that a text begins with at a place: a trie over UTF-16 units. */
class TokenPrefixes {
  /** The node behind a node and a unit. */
  readonly #next = new PairTable();
  /** The id of the token that ends at a node, or -1. */
  readonly #ids: number[] = [-1];

  constructor(vocabulary: ReadonlyMap<string, number>) {
    for (const [token, id] of vocabulary) {
      let node = 0;
      for (let i = 0; i < token.length; i++) {
        const unit = token.charCodeAt(i);
        let next = this.#next.get(node, unit);
        if (next < 0) {
          next = this.#ids.push(-1) - 1;
          this.#next.set(node, unit, next);
        }
        node = next;
      }
      if (node !== 0) this.#ids[node] = id;
    }
  }

  /** Calls `found` with the end of each token that begins at `start`, the shortest first. */
  find(text: string, start: number, found: (end: number, id: number) => void): void {
    let node = 0;
    for (let at = start; at < text.length; at++) {
      node = this.#next.get(node, text.charCodeAt(at));
      if (node < 0) return;
      const id = this.#ids[node]!;
      if (id >= 0) found(at + 1, id);
    }
  }
}
