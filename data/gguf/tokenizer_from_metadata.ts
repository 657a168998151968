import { InputError } from "../input_error.ts";
import { quote } from "../quote.ts";
import { byteLevelModel, sentencePieceModel, type TokenizerParts } from "./tokenizer_parts.ts";
import type { MetadataReader } from "./metadata_value.ts";
import { readVocabulary, type Vocabulary } from "./vocabulary.ts";

/** A tokenizer as a model folder has it. */
export interface RebuiltTokenizer {
  /** Contents of `tokenizer.json`. */
  readonly tokenizer: Readonly<Record<string, unknown>>;
  /** Contents of `tokenizer_config.json`. */
  readonly settings: Readonly<Record<string, unknown>>;
}

/**
 * The `tokenizer.json` and `tokenizer_config.json` that a GGUF file's vocabulary stands for, whose
 * ids are llama.cpp's: byte-level BPE with a pre-tokenizer that has a name, or SentencePiece's BPE.
 * Throws {@linkcode InputError} for other tokenizers, by name, and where the vocabulary is damaged.
 */
export function tokenizerFromMetadata(metadata: MetadataReader): RebuiltTokenizer {
  const vocabulary = readVocabulary(metadata);
  const parts = partsOf(metadata, vocabulary);
  const { bos, eos, unknown, padding } = vocabulary;
  const beginning = parts.addsBos ? bos : undefined;
  const ending = metadata.flag("tokenizer.ggml.add_eos_token") === true ? eos : undefined;
  const tokenizer = {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: addedTokens(metadata, vocabulary),
    normalizer: parts.normalizer,
    pre_tokenizer: parts.preTokenizer,
    post_processor: template(vocabulary, beginning, ending),
    decoder: parts.decoder,
    model: parts.model,
  };
  const text = (id: number | undefined) => id === undefined ? null : vocabulary.tokens[id]!;
  const settings = {
    tokenizer_class: "PreTrainedTokenizerFast",
    bos_token: text(bos),
    eos_token: text(eos),
    unk_token: text(unknown),
    pad_token: text(padding),
    add_bos_token: beginning !== undefined,
    add_eos_token: ending !== undefined,
    clean_up_tokenization_spaces: false,
  };
  return { tokenizer, settings };
}

function partsOf(metadata: MetadataReader, vocabulary: Vocabulary): TokenizerParts {
  const model = metadata.text("tokenizer.ggml.model");
  if (model === "gpt2") return byteLevelModel(metadata, vocabulary);
  if (model === "llama") return sentencePieceModel(metadata, vocabulary);
  throw new InputError(
    `${metadata.file}: its tokenizer is ${
      quote(model ?? "")
    }, which is not supported; supported are ` +
      '"gpt2" (byte-level BPE) and "llama" (SentencePiece)',
  );
}

/** The tokens that are found in a text before the rest is split. */
function addedTokens(
  metadata: MetadataReader,
  { tokens, kinds }: Vocabulary,
): Record<string, unknown>[] {
  const isPhi = /phi-?3/i.test(metadata.text("general.name") ?? "");
  return [...tokens.entries()].flatMap(([id, content]) => {
    const kind = kinds[id];
    if (kind !== "control" && kind !== "user" && kind !== "unknown") return [];
    const strips = isPhi && kind === "control" && !/^(<s>|<\|endoftext\|>)$/.test(content);
    const special = kind !== "user";
    return [{
      id,
      content,
      single_word: false,
      lstrip: false,
      rstrip: strips,
      normalized: false,
      special,
    }];
  });
}

/** A `post_processor` that puts tokens before and after a text; `null` where there are none. */
function template(
  { tokens }: Vocabulary,
  beginning: number | undefined,
  ending: number | undefined,
): Record<string, unknown> | null {
  if (beginning === undefined && ending === undefined) return null;
  const place = (id: number | undefined, type: number) =>
    id === undefined ? [] : [{ SpecialToken: { id: tokens[id], type_id: type } }];
  const around = (name: string, type: number) => [
    ...place(beginning, type),
    { Sequence: { id: name, type_id: type } },
    ...place(ending, type),
  ];
  const ids = [...new Set([beginning, ending])].filter((id) => id !== undefined);
  return {
    type: "TemplateProcessing",
    single: around("A", 0),
    pair: [...around("A", 0), ...around("B", 1)],
    special_tokens: Object.fromEntries(
      ids.map((id) => [tokens[id], { id: tokens[id], ids: [id], tokens: [tokens[id]] }]),
    ),
  };
}
