import { type AddedToken, AddedTokenFinder, readAddedToken } from "./added_tokens.ts";
import { createBpe } from "./bpe.ts";
import { type Decoder, readDecoder } from "./decoders.ts";
import { Fields } from "./fields.ts";
import { IdBuffer } from "./id_buffer.ts";
import { type Normalizer, readNormalizer, readRemoval } from "./normalizers.ts";
import { readBeginning } from "./post_processor.ts";
import { type PreTokenizer, readPreTokenizer } from "./pre_tokenizers.ts";
import type { TokenModel } from "./token_model.ts";
import { createUnigram } from "./unigram.ts";
import { createWordLevel, createWordPiece } from "./word_models.ts";

/** A tokenizer.json, ready for use. */
export interface Pipeline {
  /** Tokens by their ids; undefined where an id has none. */
  readonly tokens: readonly (string | undefined)[];
  /** The id of a token. */
  idOf(token: string): number | undefined;
  /** Whether an id is that of an added token that is not for text. */
  isSpecial(id: number): boolean;
  /** Ids that are put before a text. */
  readonly beginning: readonly number[];
  /** The first ids of a text, at most `most`. */
  encode(text: string, most: number): Int32Array;
  /** A text as the model's vocabulary sees it, spaces and all. */
  normalize: Normalizer;
  /** Texts that are written one after another for these tokens. */
  readonly decode: Decoder;
}

/** Reads tokenizer.json, named `file` in messages, part by part; throws {@linkcode InputError}. */
export function readPipeline(file: string, json: Readonly<Record<string, unknown>>): Pipeline {
  const part = <T>(name: string, read: (fields: Fields) => T, absent: T): T => {
    const value = json[name] ?? undefined;
    return value === undefined ? absent : read(new Fields(file, name, value));
  };
  const model = readModel(new Fields(file, "model", json["model"]));
  const added = readAddedTokens(new Fields(file, "the file", json), model);
  const normalize = part("normalizer", readNormalizer, (text: string) => text);
  const remove = part("normalizer", readRemoval, (text: string) => text);
  const preTokenize = part<PreTokenizer>("pre_tokenizer", readPreTokenizer, (piece) => [piece]);
  const decode = part<Decoder>("decoder", readDecoder, (tokens) => [tokens.join(" ")]);
  const raw = new AddedTokenFinder(added.filter(({ normalized }) => !normalized));
  const cooked = new AddedTokenFinder(added.filter(({ normalized }) => normalized), normalize);
  const specialIds = new Set(added.filter(({ special }) => special).map(({ id }) => id));
  const addedIds = new Map(added.map(({ content, id }) => [content, id]));

  /** The tokens of a text, piece by piece. */
  function* encodeParts(text: string): Generator<Int32Array> {
    for (const outer of raw.split(text)) {
      if (outer.id !== undefined) {
        yield Int32Array.of(outer.id);
        continue;
      }
      const begins = outer.first && !losesBeginning(remove, outer.text);
      for (const inner of cooked.split(normalize(outer.text))) {
        if (inner.id !== undefined) {
          yield Int32Array.of(inner.id);
          continue;
        }
        for (const piece of preTokenize({ text: inner.text, first: begins && inner.first })) {
          if (model.parts === undefined) yield model.tokenize(piece.text);
          else for (const word of model.parts(piece.text)) yield model.tokenize(word);
        }
      }
    }
  }

  return {
    tokens: tokensById(model, added, normalize),
    isSpecial: (id) => specialIds.has(id),
    idOf: (token) => addedIds.get(token) ?? model.vocabulary.get(token),
    beginning: part("post_processor", readBeginning, []),
    encode(text, most) {
      const ids = new IdBuffer();
      if (most > 0) {
        for (const part of encodeParts(text.toWellFormed())) {
          ids.push(part);
          if (ids.length >= most) break;
        }
      }
      return ids.take(most);
    },
    normalize,
    decode,
  };
}

/** Whether a text's first character is removed, so that what comes later no longer begins it. */
function losesBeginning(remove: Normalizer, text: string): boolean {
  const first = String.fromCodePoint(text.codePointAt(0) ?? 0x61);
  return first !== "a" && remove(`${first}a`) === remove("a");
}

const models: Readonly<Record<string, (fields: Fields) => TokenModel>> = {
  BPE: createBpe,
  Unigram: createUnigram,
  WordLevel: createWordLevel,
  WordPiece: createWordPiece,
};

function readModel(fields: Fields): TokenModel {
  // Older files do not name the model; the Rust library tries one after another.
  const guess = fields.value("merges") !== undefined
    ? "BPE"
    : fields.value("continuing_subword_prefix") !== undefined
    ? "WordPiece"
    : Array.isArray(fields.value("vocab"))
    ? "Unigram"
    : "WordLevel";
  const type = fields.text("type", guess);
  const read = Object.hasOwn(models, type) ? models[type] : undefined;
  if (read === undefined) throw fields.unsupported(type, "no such model is known");
  return read(fields);
}

/** The added tokens, with the ids that the Rust library gives them. */
function readAddedTokens(fields: Fields, model: TokenModel): AddedToken[] {
  if ((fields.value("added_tokens") ?? undefined) === undefined) return [];
  const ids = new Map<string, number>();
  let largest = -1;
  return fields.components("added_tokens").map((item) => {
    const token = readAddedToken(item, (content) => {
      const known = ids.get(content) ?? model.vocabulary.get(content);
      return known ?? (largest >= model.size ? largest + 1 : model.size);
    });
    ids.set(token.content, token.id);
    largest = Math.max(largest, token.id);
    return token;
  });
}

function tokensById(
  model: TokenModel,
  added: readonly AddedToken[],
  normalize: Normalizer,
): (string | undefined)[] {
  let largest = -1;
  for (const id of model.vocabulary.values()) largest = Math.max(largest, id);
  for (const { id } of added) largest = Math.max(largest, id);
  const tokens = new Array<string | undefined>(largest + 1).fill(undefined);
  for (const [token, id] of model.vocabulary) tokens[id] = token;
  // As in the Rust library, tokens that are found in normalized text are written as they are there.
  for (const { content, id, normalized } of added) {
    tokens[id] = normalized ? normalize(content) : content;
  }
  return tokens;
}
