import { InputError } from "./input_error.ts";
import { readPipeline } from "./tokenizer/pipeline.ts";
import { nameSpecialTokens } from "./tokenizer/special_tokens.ts";

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
  /** Whether a token is not for text but written by programs, such as one that ends a turn. */
  isSpecial?(id: number): boolean;
  /** Whether the model expects every text to begin with {@linkcode bosTokenId}. */
  readonly addsBos: boolean;
  /**
   * The first token ids of a text, at most `most` where it is given, with no special tokens added;
   * the rest of the text is not tokenized. Characters that the vocabulary cannot write become its
   * unknown token, or are left out where it has none, as in transformers. Throws an
   * {@linkcode InputError} where the text cannot be tokenized.
   */
  encode(text: string, most?: number): Int32Array;
  /** What becomes of a text before it is split, such as small letters; nothing if omitted. */
  normalize?(text: string): string;
  /**
   * Text of token ids, special tokens written out. Ids that have no token, such as those that only
   * pad a model's vocabulary, write nothing; throws a RangeError for what is not an id.
   */
  decode(ids: ArrayLike<number>): string;
}

/**
 * Makes a tokenizer from the parsed contents of `tokenizer.json` and `tokenizer_config.json`;
 * `file` names it in messages. Its ids are those of Hugging Face's Rust library. Throws an
 * {@linkcode InputError} where the contents are damaged, or use what is not supported.
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
  const pipeline = readPipeline(file, json);
  const { tokens, beginning } = pipeline;
  const named = nameSpecialTokens(config, isByteLevel(json));
  if (beginning.length > 1) {
    throw new InputError(
      `${file}: its post_processor begins texts with ${beginning.length} tokens, which is not ` +
        "supported: only one",
    );
  }
  const idOf = (token: string | undefined) => token === undefined ? token : pipeline.idOf(token);
  const bosTokenId = beginning[0] ?? idOf(named.bos);
  const eosTokenId = idOf(named.eos);
  const maskTokenId = idOf(named.mask);
  return {
    vocabularySize: tokens.length,
    ...(bosTokenId === undefined ? {} : { bosTokenId }),
    ...(eosTokenId === undefined ? {} : { eosTokenId }),
    ...(maskTokenId === undefined ? {} : { maskTokenId }),
    addsBos: beginning.length > 0,
    encode: (text, most = Infinity) => pipeline.encode(text, most),
    normalize: pipeline.normalize,
    isSpecial: pipeline.isSpecial,
    decode(ids) {
      const found = Array.from(ids, (id) => {
        if (Number.isSafeInteger(id) && id >= 0) return tokens[id];
        throw new RangeError(`${id} is not a token id`);
      }).filter((token) => token !== undefined);
      return pipeline.decode(found).join("");
    },
  };
}

/** Whether the text becomes bytes before or after the model. */
export function isByteLevel(
  { pre_tokenizer: before, decoder: after }: Readonly<Record<string, unknown>>,
) {
  return JSON.stringify([before, after]).includes('"type":"ByteLevel"');
}
