import { quoteValue } from "../quote.ts";
import type { Fields } from "./fields.ts";
import { longestToken, readVocabulary, type TokenModel } from "./token_model.ts";

/** BERT's WordPiece: the longest tokens from left to right, or one unknown token for the word. */
export function createWordPiece(fields: Fields): TokenModel {
  fields.allow("vocab", "unk_token", "continuing_subword_prefix", "max_input_chars_per_word");
  const vocabulary = readVocabulary(fields);
  const unknown = unknownToken(fields, vocabulary, "[UNK]");
  const prefix = fields.text("continuing_subword_prefix", "##");
  const longest = fields.count("max_input_chars_per_word", 100);
  const longestPart = Math.max(1, longestToken(fields, vocabulary.keys()));

  function tokenize(word: string): Int32Array {
    if ([...word].length > longest) return Int32Array.of(unknown(word));
    const ids: number[] = [];
    for (let start = 0; start < word.length;) {
      let end = Math.min(word.length, start + longestPart);
      let id: number | undefined;
      while (end > start) {
        const part = word.slice(start, end);
        id = vocabulary.get(start === 0 ? part : prefix + part);
        // A surrogate pair that is cut in half is in no vocabulary.
        if (id !== undefined) break;
        end -= 1;
      }
      if (id === undefined) return Int32Array.of(unknown(word));
      ids.push(id);
      start = end;
    }
    return Int32Array.from(ids);
  }

  return { vocabulary, size: vocabulary.size, tokenize };
}

/** Whole words only. */
export function createWordLevel(fields: Fields): TokenModel {
  fields.allow("vocab", "unk_token");
  const vocabulary = readVocabulary(fields);
  const unknown = unknownToken(fields, vocabulary, "<unk>");
  return {
    vocabulary,
    size: vocabulary.size,
    tokenize: (word) => Int32Array.of(vocabulary.get(word) ?? unknown(word)),
  };
}

/** Gives the id of the unknown token; throws where a word needs it and the vocabulary has none. */
function unknownToken(
  fields: Fields,
  vocabulary: ReadonlyMap<string, number>,
  absent: string,
): (word: string) => number {
  const name = fields.text("unk_token", absent);
  const id = vocabulary.get(name);
  return (word) => {
    if (id !== undefined) return id;
    throw fields.error(
      `has no token for ${quoteValue(word)}, and none for its unk_token ` +
        quoteValue(name),
    );
  };
}
