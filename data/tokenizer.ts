import { Tokenizer } from "@huggingface/tokenizers";
import { InputError } from "./input_error.ts";
import { isJsonObject } from "./json_file.ts";
import { quoteValue } from "./quote.ts";

/** Text to token ids and back. */
export interface TextTokenizer {
  /** One more than the largest token id. */
  readonly vocabularySize: number;
  /** The token that begins a text (BERT's `[CLS]`), if the tokenizer names one. */
  readonly bosTokenId?: number;
  /** The token that ends a text (BERT's `[SEP]`), if the tokenizer names one. */
  readonly eosTokenId?: number;
  /** The token that takes the place of one to be predicted, if the tokenizer names one. */
  readonly maskTokenId?: number;
  /** Whether the model expects every text to begin with {@linkcode bosTokenId}. */
  readonly addsBos: boolean;
  /**
   * Token ids of a text, with no special tokens added. Throws an {@linkcode InputError} where the
   * text has something that the vocabulary cannot write.
   */
  encode(text: string): Int32Array;
  /** Text of token ids, special tokens written out; throws a RangeError for an unknown id. */
  decode(ids: ArrayLike<number>): string;
}

/**
 * Makes a tokenizer from the parsed contents of `tokenizer.json` and `tokenizer_config.json`;
 * `file` names it in messages. Throws an {@linkcode InputError} where the contents are unusable.
 *
 * ```ts
 * import { createTextTokenizer } from "@kanpress/kanpress/data";
 * import assert from "node:assert";
 *
 * const tokenizer = createTextTokenizer({
 *   added_tokens: [],
 *   normalizer: null,
 *   pre_tokenizer: null,
 *   post_processor: null,
 *   decoder: { type: "Fuse" },
 *   model: { type: "BPE", vocab: { a: 0, b: 1, ab: 2 }, merges: ["a b"], unk_token: null },
 * });
 * assert.deepEqual(tokenizer.encode("aab"), Int32Array.of(0, 2));
 * assert.equal(tokenizer.decode([0, 2]), "aab");
 * ```
 */
export function createTextTokenizer(
  json: Readonly<Record<string, unknown>>,
  config: Readonly<Record<string, unknown>> = {},
  file: string = "tokenizer.json",
): TextTokenizer {
  let tokenizer: Tokenizer;
  try {
    tokenizer = new Tokenizer(json, config);
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    throw new InputError(
      `${file}: cannot be used (${detail.replaceAll(/\s+/g, " ")}); get it again or save it as a ` +
        `fast tokenizer with transformers`,
      { cause: error },
    );
  }
  const bosTokenId = specialTokenId(tokenizer, config["bos_token"] ?? config["cls_token"]);
  const eosTokenId = specialTokenId(tokenizer, config["eos_token"] ?? config["sep_token"]);
  const maskTokenId = specialTokenId(tokenizer, config["mask_token"]);
  const vocabularySize = Math.max(-1, ...tokenizer.get_vocab().values()) + 1;
  return {
    vocabularySize,
    ...(bosTokenId === undefined ? {} : { bosTokenId }),
    ...(eosTokenId === undefined ? {} : { eosTokenId }),
    ...(maskTokenId === undefined ? {} : { maskTokenId }),
    addsBos: bosTokenId !== undefined && beginsWith(tokenizer, bosTokenId, config["add_bos_token"]),
    encode: (text) => encode(tokenizer, text, file),
    decode: (ids) => decode(tokenizer, ids, vocabularySize),
  };
}

/** Special tokens are named as a string or, in older files, as an object with their content. */
function specialTokenId(tokenizer: Tokenizer, token: unknown): number | undefined {
  const content = isJsonObject(token) ? token["content"] : token;
  return typeof content === "string" ? tokenizer.token_to_id(content) : undefined;
}

/** The configuration's word, where it has one, or else what the post-processor does to a text. */
function beginsWith(tokenizer: Tokenizer, bosTokenId: number, addBosToken: unknown): boolean {
  if (typeof addBosToken === "boolean") return addBosToken;
  const plain = tokenizer.encode("a", { add_special_tokens: false }).ids;
  const processed = tokenizer.encode("a").ids;
  return processed.length > plain.length && processed[0] === bosTokenId;
}

function encode(tokenizer: Tokenizer, text: string, file: string): Int32Array {
  const { ids, tokens } = tokenizer.encode(text, { add_special_tokens: false });
  const unknown = ids.findIndex((id) => id === undefined);
  if (unknown !== -1) {
    throw new InputError(
      `${file}: has no token for ${quoteValue(tokens[unknown])}; leave it out of the text`,
    );
  }
  return Int32Array.from(ids);
}

function decode(tokenizer: Tokenizer, ids: ArrayLike<number>, vocabularySize: number): string {
  const list = Array.from(ids);
  // The library refuses an empty list, and writes "undefined" for an id that is not there.
  if (list.length === 0) return "";
  const unknown = list.find((id) => tokenizer.id_to_token(id) === undefined);
  if (unknown !== undefined) {
    throw new RangeError(`token id ${unknown} is not in the vocabulary of ${vocabularySize}`);
  }
  return tokenizer.decode(list, {
    skip_special_tokens: false,
    clean_up_tokenization_spaces: false,
  });
}
