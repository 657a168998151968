import { InputError } from "../input_error.ts";
import { quote } from "../quote.ts";
import type { MetadataReader } from "./metadata_value.ts";

/** What a token is: llama.cpp's `llama_token_type`, in the order of its numbers. */
const tokenKinds = ["undefined", "normal", "unknown", "control", "user", "unused", "byte"] as const;

/** What a token is. */
export type TokenKind = typeof tokenKinds[number];

/** The tokens of a GGUF file, and which of them are special. */
export interface Vocabulary {
  /** Their texts, as the file spells them. */
  readonly tokens: readonly string[];
  /** What each is. */
  readonly kinds: readonly TokenKind[];
  /** Begins a text. */
  readonly bos?: number;
  /** Ends a text. */
  readonly eos?: number;
  /** Stands for what cannot be written. */
  readonly unknown?: number;
  /** Fills up batches. */
  readonly padding?: number;
}

/**
 * Reads the tokens of a GGUF file. Throws {@linkcode InputError} where there are none, a text is there
 * twice, lists are of different lengths, or a special token is none of them.
 */
export function readVocabulary(metadata: MetadataReader): Vocabulary {
  const { file } = metadata;
  const texts = metadata.texts("tokenizer.ggml.tokens");
  if (texts === undefined || texts.length === 0) {
    throw new InputError(`${file}: has no vocabulary; take a GGUF file that has one`);
  }
  const tokens = texts.map((text, id) => text === "" ? `[EMPTY_${id}]` : text);
  const known = new Set<string>();
  for (const token of tokens) {
    if (known.has(token)) {
      throw new InputError(`${file}: has the token ${quote(token)} twice; get it again`);
    }
    known.add(token);
  }
  const types = metadata.numbers("tokenizer.ggml.token_type");
  if (types !== undefined && types.length !== tokens.length) {
    throw new InputError(
      `${file}: has ${tokens.length} tokens, but types of ${types.length}; get it again`,
    );
  }
  const kinds = tokens.map((_, id) => tokenKinds[types?.[id] ?? 1] ?? "undefined");
  const special = (key: string) => {
    const id = metadata.count(`tokenizer.ggml.${key}_token_id`);
    // As llama.cpp does: some files name tokens that they have not.
    return id === undefined || id >= tokens.length ? undefined : id;
  };
  const [bos, eos] = [special("bos"), special("eos")];
  const [unknown, padding] = [special("unknown"), special("padding")];
  return {
    tokens,
    kinds,
    ...(bos !== undefined && { bos }),
    ...(eos !== undefined && { eos }),
    ...(unknown !== undefined && { unknown }),
    ...(padding !== undefined && { padding }),
  };
}
