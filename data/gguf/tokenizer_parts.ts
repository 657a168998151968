import { InputError } from "../input_error.ts";
import { quote } from "../quote.ts";
import type { MetadataReader } from "./metadata_value.ts";
import { preTokenizerNames, preTokenizerOf } from "./pre_tokenizers.ts";
import { mergesFromScores } from "./sentencepiece_merges.ts";
import type { Vocabulary } from "./vocabulary.ts";

/** Parts of a `tokenizer.json`. */
export interface TokenizerParts {
  /** `normalizer`. */
  readonly normalizer: Readonly<Record<string, unknown>> | null;
  /** `pre_tokenizer`. */
  readonly preTokenizer: Readonly<Record<string, unknown>> | null;
  /** `model`. */
  readonly model: Readonly<Record<string, unknown>>;
  /** `decoder`. */
  readonly decoder: Readonly<Record<string, unknown>>;
  /** Whether texts begin with the token for that. */
  readonly addsBos: boolean;
}

/** How SentencePiece writes a space. */
const META_SPACE = "\u2581";

/** Byte-level BPE, as GPT-2 has it, whose texts are split as `tokenizer.ggml.pre` says. */
export function byteLevelModel(
  metadata: MetadataReader,
  { tokens }: Vocabulary,
): TokenizerParts {
  const name = metadata.text("tokenizer.ggml.pre") ?? "default";
  const pre = preTokenizerOf(name);
  if (pre === undefined) {
    throw new InputError(
      `${metadata.file}: its pre-tokenizer ${quote(name)} is not supported; supported are ` +
        preTokenizerNames.join(", "),
    );
  }
  const merges = metadata.texts("tokenizer.ggml.merges");
  if (merges === undefined) {
    throw new InputError(`${metadata.file}: has a BPE vocabulary without merges; get it again`);
  }
  return {
    normalizer: null,
    preTokenizer: pre.preTokenizer,
    model: bpe(tokens, pairs(metadata, merges), { ignore_merges: pre.ignoresMerges }),
    decoder: { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true },
    addsBos: metadata.flag("tokenizer.ggml.add_bos_token") ?? pre.addsBos,
  };
}

/**
 * SentencePiece's BPE: spaces are written out, a text begins with one, and characters that the
 * vocabulary lacks become bytes. Texts that begin with spaces get one more, as with SentencePiece
 * and llama.cpp; transformers 5 leaves those alone.
 */
export function sentencePieceModel(
  metadata: MetadataReader,
  vocabulary: Vocabulary,
): TokenizerParts {
  const isGemma = metadata.text("general.architecture")?.startsWith("gemma") === true;
  // Gemma's tokens of several spaces are spelled as text, all others as SentencePiece does.
  const tokens = vocabulary.tokens.map((token) =>
    isGemma && /^ {2,}$/.test(token) ? META_SPACE.repeat(token.length) : token
  );
  const prefix = metadata.flag("tokenizer.ggml.add_space_prefix") ?? true;
  const merges = metadata.texts("tokenizer.ggml.merges");
  const spaces = { type: "Replace", pattern: { String: " " }, content: META_SPACE };
  const unknown = vocabulary.unknown === undefined ? null : tokens[vocabulary.unknown]!;
  const fallsBack = new Set(tokens).has("<0x00>");
  return {
    normalizer: prefix
      ? { type: "Sequence", normalizers: [{ type: "Prepend", prepend: META_SPACE }, spaces] }
      : spaces,
    preTokenizer: null,
    model: bpe(
      tokens,
      merges === undefined
        ? mergesFromScores(tokens, isGemma ? orderScores(tokens) : scoresOf(metadata, tokens))
        : pairs(metadata, merges),
      { unk_token: unknown, fuse_unk: true, byte_fallback: fallsBack },
    ),
    decoder: {
      type: "Sequence",
      decoders: [
        { type: "Replace", pattern: { String: META_SPACE }, content: " " },
        { type: "ByteFallback" },
        { type: "Fuse" },
        ...(prefix ? [{ type: "Strip", content: " ", start: 1, stop: 0 }] : []),
      ],
    },
    addsBos: metadata.flag("tokenizer.ggml.add_bos_token") ?? true,
  };
}

function scoresOf(metadata: MetadataReader, tokens: readonly string[]): readonly number[] {
  const scores = metadata.numbers("tokenizer.ggml.scores");
  if (scores?.length === tokens.length) return scores;
  throw new InputError(
    `${metadata.file}: has ${tokens.length} tokens, but scores of ${
      scores?.length ?? 0
    }; get it again`,
  );
}

/** Gemma's scores say nothing of the order of its merges; that of its tokens does. */
function orderScores(tokens: readonly string[]): readonly number[] {
  return tokens.map((_, id) => -id);
}

function bpe(
  tokens: readonly string[],
  merges: readonly (readonly [string, string])[],
  settings: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  return {
    type: "BPE",
    dropout: null,
    unk_token: null,
    continuing_subword_prefix: null,
    end_of_word_suffix: null,
    fuse_unk: false,
    byte_fallback: false,
    ignore_merges: false,
    ...settings,
    vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
    merges,
  };
}

/** Merges are written as two tokens with a space between; the first may begin with one. */
function pairs(metadata: MetadataReader, merges: readonly string[]): [string, string][] {
  return merges.map((merge) => {
    const at = merge.indexOf(" ", 1);
    if (at > 0 && at < merge.length - 1) return [merge.slice(0, at), merge.slice(at + 1)];
    throw new InputError(
      `${metadata.file}: its merge ${quote(merge)} is not two tokens; get it again`,
    );
  });
}
