import { quoteValue } from "../quote.ts";
import type { Fields } from "./fields.ts";
import { MergeQueue } from "./merge_queue.ts";
import { PairTable } from "./pair_table.ts";
import { byteFallback, readVocabulary, type TokenModel } from "./token_model.ts";

/** Words that are longer, in UTF-16 units, are not remembered. */
const LONGEST_KEPT = 64;
/** So many words are remembered before all are forgotten. */
const MOST_KEPT = 100_000;
/** What SentencePiece writes for a space. */
const META_SPACE = "\u2581";

/** Byte-pair encoding: pairs of tokens are joined in the order in which they were learned. */
export function createBpe(fields: Fields): TokenModel {
  fields.allow(
    ...["vocab", "merges", "unk_token", "continuing_subword_prefix", "end_of_word_suffix"],
    ...["fuse_unk", "byte_fallback", "ignore_merges", "dropout"],
  );
  if ((fields.value("dropout") ?? 0) !== 0) throw fields.unsupported("dropout", "it is random");
  const vocabulary = readVocabulary(fields);
  const prefix = fields.text("continuing_subword_prefix", "");
  const suffix = fields.text("end_of_word_suffix", "");
  const ignoreMerges = fields.flag("ignore_merges", false);
  const { ranks, merged, tokens } = readMerges(fields, vocabulary, prefix);
  const queue = new MergeQueue(ranks, merged);
  const characters = characterReader(fields, vocabulary, prefix, suffix);
  const words = new Map<string, Int32Array>();

  function join(word: string): Int32Array {
    const whole = ignoreMerges ? vocabulary.get(word) : undefined;
    return whole === undefined ? queue.join(characters(word)) : Int32Array.of(whole);
  }

  function tokenize(word: string): Int32Array {
    if (word.length > LONGEST_KEPT) return join(word);
    const known = words.get(word);
    if (known !== undefined) return known;
    const ids = join(word);
    if (words.size >= MOST_KEPT) words.clear();
    words.set(word, ids);
    return ids;
  }

  // Where no merge reaches over the beginning of a word, words can be joined one by one.
  const wordByWord = !ignoreMerges && prefix === "" && suffix === "" &&
    vocabulary.has(META_SPACE) && !tokens.some((token) => /[^\u2581]\u2581/.test(token));
  return {
    vocabulary,
    size: vocabulary.size,
    tokenize,
    ...(wordByWord && { parts: cutBeforeWords }),
  };
}

function* cutBeforeWords(piece: string): Iterable<string> {
  let start = 0;
  for (let at = piece.indexOf(META_SPACE, 1); at >= 0; at = piece.indexOf(META_SPACE, at + 1)) {
    if (piece[at - 1] === META_SPACE) continue;
    yield piece.slice(start, at);
    start = at;
  }
  yield start === 0 ? piece : piece.slice(start);
}

/** Merges by rank: the pairs of ids, the id that each makes, and its token. */
interface Merges {
  readonly ranks: PairTable;
  readonly merged: Int32Array;
  readonly tokens: readonly string[];
}

function readMerges(
  fields: Fields,
  vocabulary: ReadonlyMap<string, number>,
  prefix: string,
): Merges {
  const merges = fields.list("merges");
  const ranks = new PairTable();
  const merged = new Int32Array(merges.length);
  const tokens = merges.map((merge, rank) => {
    const [left, right] = readMerge(fields, merge, rank);
    const token = left + right.slice(prefix.length);
    const ids = [left, right, token].map((name) => vocabulary.get(name));
    const missing = ids.indexOf(undefined);
    if (missing >= 0) {
      const name = quoteValue([left, right, token][missing]!);
      throw fields.error(`merges ${name} in merges[${rank}], which is not in its vocabulary`);
    }
    ranks.set(ids[0]!, ids[1]!, rank);
    merged[rank] = ids[2]!;
    return token;
  });
  return { ranks, merged, tokens };
}

/** The two tokens of a merge, `"a b"` or `["a", "b"]`. */
export function readMerge(fields: Fields, merge: unknown, rank: number): [string, string] {
  const pair = typeof merge === "string" ? merge.split(" ") : merge;
  if (Array.isArray(pair) && pair.length === 2 && pair.every((x) => typeof x === "string")) {
    return pair as [string, string];
  }
  throw fields.error(`has in merges[${rank}] something that is not a pair of tokens`);
}

/** Finds the tokens of a word's characters; those that have none are left out, if nothing is for them. */
function characterReader(
  fields: Fields,
  vocabulary: ReadonlyMap<string, number>,
  prefix: string,
  suffix: string,
): (word: string) => Int32Array {
  const unknownToken = fields.text("unk_token", undefined);
  const fuseUnknown = fields.flag("fuse_unk", false);
  const bytes = fields.flag("byte_fallback", false) ? byteFallback(vocabulary) : undefined;

  function unknownId(): number | undefined {
    if (unknownToken === undefined) return undefined;
    const id = vocabulary.get(unknownToken);
    if (id !== undefined) return id;
    throw fields.error(`has no token ${quoteValue(unknownToken)}, which unk_token names`);
  }

  return (word) => {
    const ids: number[] = [];
    let unknown: number | undefined;
    const flush = () => {
      if (unknown !== undefined) ids.push(unknown);
      unknown = undefined;
    };
    for (let at = 0; at < word.length;) {
      const end = at + (word.codePointAt(at)! > 0xffff ? 2 : 1);
      const name = (at === 0 ? "" : prefix) + word.slice(at, end) +
        (end === word.length ? suffix : "");
      at = end;
      const id = vocabulary.get(name);
      // As in the Rust library, an unknown character is not written before the bytes that follow.
      const fallback = id === undefined ? bytes?.(name) : undefined;
      if (id !== undefined) {
        flush();
        ids.push(id);
      } else if (fallback !== undefined) {
        for (const byte of fallback) ids.push(byte);
      } else {
        if (!fuseUnknown) flush();
        unknown = unknownId();
      }
    }
    flush();
    return Int32Array.from(ids);
  };
}
