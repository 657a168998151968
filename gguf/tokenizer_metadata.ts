import type { GgufValue } from "../data/gguf/metadata_value.ts";
import { nameOfPreTokenizer } from "../data/gguf/pre_tokenizers.ts";
import { InputError } from "../data/input_error.ts";
import { isJsonObject } from "../data/json_file.ts";
import { quote, quoteValue } from "../data/quote.ts";
import { createBpe, readMerge } from "../data/tokenizer/bpe.ts";
import { Fields } from "../data/tokenizer/fields.ts";
import { readBeginning } from "../data/tokenizer/post_processor.ts";
import { prependScheme } from "../data/tokenizer/pre_tokenizers.ts";
import { joinSettings, nameSpecialTokens } from "../data/tokenizer/special_tokens.ts";
import { readVocabulary } from "../data/tokenizer/token_model.ts";
import { countUnlistedPairs, sentencePieceScores } from "./sentence_piece_scores.ts";
import { count, flag, floats, integers, text, texts } from "./values.ts";

/** A JSON object. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** A tokenizer as model folders have it. */
export interface TokenizerFiles {
  /** The contents of tokenizer.json. */
  readonly tokenizer: JsonObject;
  /** The contents of tokenizer_config.json. */
  readonly settings?: JsonObject | undefined;
  /** The contents of special_tokens_map.json. */
  readonly specialTokensMap?: JsonObject | undefined;
  /** The contents of chat_template.jinja. */
  readonly chatTemplate?: string | undefined;
}

/** What a GGUF file says of a tokenizer. */
export interface TokenizerMetadata {
  /** Metadata by key. */
  readonly entries: readonly (readonly [string, GgufValue])[];
  /** What people should know of it. */
  readonly notes: readonly string[];
}

/** llama.cpp's kinds of tokens. */
const NORMAL = 1, UNKNOWN = 2, CONTROL = 3, USER_DEFINED = 4, UNUSED = 5, BYTE = 6;
const FILE = "tokenizer.json";
/** What SentencePiece writes for a space. */
const META_SPACE = "\u2581";

/**
 * A tokenizer as llama.cpp reads it, with as many tokens as the model has: byte-level BPE whose split
 * llama.cpp has a name for, or SentencePiece's BPE with bytes for what it cannot write. Throws
 * {@linkcode InputError} for others: their token ids would be wrong.
 */
export function tokenizerMetadata(
  { tokenizer, settings, specialTokensMap, chatTemplate }: TokenizerFiles,
  config: JsonObject,
  vocabularySize: number,
): TokenizerMetadata {
  const model = new Fields(FILE, "model", tokenizer["model"]);
  const type = model.text("type", "BPE");
  if (type !== "BPE") throw unwritable(`is of type ${type}`);
  const vocabulary = readVocabulary(model);
  const added = readAdded(tokenizer);
  const pairs = model.list("merges").map((merge, rank) => readMerge(model, merge, rank));
  const isByteLevel = JSON.stringify([tokenizer["pre_tokenizer"], tokenizer["decoder"]])
    .includes('"type":"ByteLevel"');
  const list = listTokens(vocabulary, added, model.text("unk_token", undefined), vocabularySize);
  const joined = joinSettings(settings, specialTokensMap, config);
  const kind = isByteLevel
    ? byteLevel(tokenizer, model, pairs)
    : sentencePiece(tokenizer, model, list, vocabulary, pairs);
  return {
    entries: [
      ...kind.entries,
      ["tokenizer.ggml.tokens", texts(list.tokens)],
      ["tokenizer.ggml.token_type", integers(list.types)],
      ...specialIds(tokenizer, joined, config, list, isByteLevel),
      ...templateOf(settings, chatTemplate),
    ],
    notes: [
      ...kind.notes,
      ...added.filter(({ isParticular }) => isParticular).slice(0, 1).map(({ content }) =>
        `added tokens such as ${
          quote(content)
        } take spaces along or stand alone, which llama.cpp does not know`
      ),
    ],
  };
}

/** Tokens by id with their kinds, both as long as the vocabulary. */
interface TokenList {
  readonly tokens: readonly string[];
  readonly types: readonly number[];
}

interface Added {
  readonly id: number;
  readonly content: string;
  readonly special: boolean;
  /** Whether it is looked for in the normalized text. */
  readonly normalized: boolean;
  /** Whether it is found in other places than its text alone says. */
  readonly isParticular: boolean;
}

function readAdded(tokenizer: JsonObject): readonly Added[] {
  if ((tokenizer["added_tokens"] ?? undefined) === undefined) return [];
  return new Fields(FILE, "the file", tokenizer).components("added_tokens").map((fields) => ({
    id: fields.count("id", -1),
    content: fields.text("content"),
    special: fields.flag("special", false),
    normalized: fields.flag("normalized", !fields.flag("special", false)),
    isParticular: ["lstrip", "rstrip", "single_word"].some((name) => fields.flag(name, false)),
  }));
}

function listTokens(
  vocabulary: ReadonlyMap<string, number>,
  added: readonly Added[],
  unknown: string | undefined,
  size: number,
): TokenList {
  const tokens: string[] = Array.from({ length: size }, (_, id) => `[PAD${id}]`);
  const types: number[] = Array.from({ length: size }, () => UNUSED);
  const put = (id: number, token: string, kind: number) => {
    if (id >= size) {
      throw new InputError(
        `${FILE}: has the token ${quote(token)} with id ${id}, but the model has ${size} tokens; ` +
          "it belongs to another model",
      );
    }
    tokens[id] = token;
    types[id] = kind;
  };
  for (const [token, id] of vocabulary) {
    put(id, token, /^<0x[0-9A-F]{2}>$/.test(token) ? BYTE : NORMAL);
  }
  for (const { id, content, special, normalized } of added) {
    // llama.cpp looks for them in the text as it is.
    const raw = normalized && !special ? content.replaceAll(META_SPACE, " ") : content;
    put(id, raw, special ? CONTROL : USER_DEFINED);
  }
  const unknownId = unknown === undefined ? undefined : vocabulary.get(unknown);
  if (unknownId !== undefined && types[unknownId] !== USER_DEFINED) types[unknownId] = UNKNOWN;
  checkDistinct(tokens);
  return { tokens, types };
}

/** llama.cpp ends where two ids have the same text. */
function checkDistinct(tokens: readonly string[]): void {
  const seen = new Map<string, number>();
  tokens.forEach((token, id) => {
    const other = seen.get(token);
    if (other !== undefined) throw unwritable(`has ${quote(token)} as ${other} and as ${id}`);
    seen.set(token, id);
  });
}

function byteLevel(
  tokenizer: JsonObject,
  model: Fields,
  pairs: readonly (readonly [string, string])[],
): TokenizerMetadata {
  const split = tokenizer["pre_tokenizer"];
  const ignoresMerges = model.flag("ignore_merges", false);
  let name = nameOfPreTokenizer(split, ignoresMerges);
  if (name === undefined) {
    // It makes no difference where every token is what merges make of it.
    const other = nameOfPreTokenizer(split, !ignoresMerges);
    if (other !== undefined && mergesMakeAll(model)) name = other;
  }
  if (name === undefined) {
    throw unwritable("splits texts in a way that llama.cpp has no name for");
  }
  return {
    entries: [
      ["tokenizer.ggml.model", text("gpt2")],
      ["tokenizer.ggml.pre", text(name)],
      ["tokenizer.ggml.merges", texts(pairs.map(writeMerge))],
    ],
    notes: normalizerNotes(tokenizer["normalizer"]),
  };
}

/** Two tokens with a space between; one that is in a token is written as bytes are. */
function writeMerge(pair: readonly string[]): string {
  return pair.map((token) => token.replaceAll(" ", "\u0120")).join(" ");
}

/** Whether every token is what the merges make of its text. */
function mergesMakeAll(model: Fields): boolean {
  const { ignore_merges: _, ...rest } = model.all();
  const { vocabulary, tokenize } = createBpe(new Fields(FILE, "model", rest));
  return [...vocabulary.entries()].every(([token, id]) => {
    const ids = tokenize(token);
    return ids.length === 1 && ids[0] === id;
  });
}

/** Says what of a normalizer llama.cpp does not do; throws where texts would be others altogether. */
function normalizerNotes(normalizer: unknown): readonly string[] {
  const steps = flatten(normalizer, "normalizers").filter((step) => !isOfSpaces(step));
  const other = steps.find((step) => !/^NFK?C$/.test(String(step["type"])));
  if (other !== undefined) {
    throw unwritable(`changes texts by ${quoteValue(other["type"])}, which llama.cpp does not do`);
  }
  return steps.length === 0 ? [] : [
    `llama.cpp does not normalize texts (${
      steps.map((step) => step["type"]).join(", ")
    }): where they ` +
    "have letters in parts, token ids differ",
  ];
}

/** The steps of a sequence, or the step that it is. */
function flatten(value: unknown, list: "normalizers" | "pretokenizers"): readonly JsonObject[] {
  if (!isJsonObject(value)) return [];
  const steps = value["type"] === "Sequence" ? value[list] : undefined;
  return Array.isArray(steps) ? steps.flatMap((step) => flatten(step, list)) : [value];
}

/** Whether a step only writes spaces as SentencePiece does. */
function isOfSpaces(step: JsonObject): boolean {
  if (step["type"] === "Prepend") return step["prepend"] === META_SPACE;
  return step["type"] === "Replace" && step["content"] === META_SPACE && isAtSpaces(step);
}

function isAtSpaces({ pattern }: JsonObject): boolean {
  return JSON.stringify(pattern) === '{"String":" "}';
}

function sentencePiece(
  tokenizer: JsonObject,
  model: Fields,
  { tokens, types }: TokenList,
  vocabulary: ReadonlyMap<string, number>,
  pairs: readonly (readonly [string, string])[],
): TokenizerMetadata {
  const normalizers = flatten(tokenizer["normalizer"], "normalizers");
  const splits = flatten(tokenizer["pre_tokenizer"], "pretokenizers");
  const metaspace = splits.find((step) => step["type"] === "Metaspace");
  if (metaspace === undefined && !normalizers.some(isOfSpaces)) {
    throw unwritable("is neither byte-level nor SentencePiece's");
  }
  // Gemma's split at spaces finds none: they have been written as other characters.
  const other = splits.find((step) => step !== metaspace && !isAtSpaces(step));
  if (other !== undefined) throw unwritable(`splits texts by ${quoteValue(other["type"])}`);
  if (!model.flag("byte_fallback", false) || !vocabulary.has("<0x00>")) {
    throw unwritable("has no tokens for single bytes, which llama.cpp needs");
  }
  if (model.flag("ignore_merges", false) && !mergesMakeAll(model)) {
    throw unwritable("has tokens that no merges make");
  }
  const isMetaspace = metaspace !== undefined &&
    prependScheme(new Fields(FILE, "pre_tokenizer", metaspace)) !== "never";
  const prepends = isMetaspace || normalizers.some((step) => step["type"] === "Prepend");
  const scores = sentencePieceScores(tokens, pairs);
  const normal = new Set(tokens.filter((_, id) => types[id] === NORMAL));
  const unlisted = countUnlistedPairs(normal, pairs);
  return {
    entries: [
      ["tokenizer.ggml.model", text("llama")],
      ["tokenizer.ggml.pre", text("default")],
      ["tokenizer.ggml.scores", floats(scores)],
      ["tokenizer.ggml.add_space_prefix", flag(prepends)],
    ],
    notes: [
      ...normalizerNotes(tokenizer["normalizer"]),
      ...(isMetaspace
        ? ["texts that begin with a space get one more token from llama.cpp, for another space"]
        : []),
      ...(unlisted === 0 ? [] : [
        `${FILE}: ${unlisted} pairs of tokens make a token without being merged; llama.cpp will merge ` +
        "them, and some texts get other ids",
      ]),
    ],
  };
}

/** Keys of the metadata, and how the token is called in settings and config. */
const SPECIAL = [
  ["bos_token_id", "bos"],
  ["eos_token_id", "eos"],
  ["unknown_token_id", "unk"],
  ["seperator_token_id", "sep"],
  ["padding_token_id", "pad"],
] as const;

function specialIds(
  tokenizer: JsonObject,
  settings: JsonObject,
  config: JsonObject,
  { tokens }: TokenList,
  isByteLevel: boolean,
): (readonly [string, GgufValue])[] {
  const postProcessor = tokenizer["post_processor"] ?? undefined;
  const beginning = postProcessor === undefined
    ? []
    : readBeginning(new Fields(FILE, "post_processor", postProcessor));
  if (beginning.length > 1) throw unwritable(`begins texts with ${beginning.length} tokens`);
  const { bos, eos } = nameSpecialTokens(settings, isByteLevel);
  const named: Readonly<Record<string, unknown>> = { ...settings, bos_token: bos, eos_token: eos };
  const idOf = (name: string): number | undefined => {
    const token = named[`${name}_token`];
    const content = isJsonObject(token) ? token["content"] : token;
    const id = tokens.indexOf(typeof content === "string" ? content : "");
    const configured = config[`${name}_token_id`];
    const first = Array.isArray(configured) ? configured[0] : configured;
    if (id >= 0) return id;
    return typeof first === "number" && first >= 0 && first < tokens.length ? first : undefined;
  };
  const ids = SPECIAL.flatMap(([key, name]) => {
    const id = name === "bos" ? beginning[0] ?? idOf(name) : idOf(name);
    return id === undefined ? [] : [[`tokenizer.ggml.${key}`, count(id)] as const];
  });
  return [
    ...ids,
    ["tokenizer.ggml.add_bos_token", flag(beginning.length > 0)],
    ["tokenizer.ggml.add_eos_token", flag(false)],
  ];
}

/** The template of chats: the file's own, or the one of the settings. */
function* templateOf(
  settings: JsonObject = {},
  file: string | undefined,
): Generator<readonly [string, GgufValue]> {
  const listed = settings["chat_template"];
  const found = file ??
    (Array.isArray(listed)
      ? listed.find((item) => isJsonObject(item) && item["name"] === "default")?.template
      : listed);
  if (typeof found === "string") yield ["tokenizer.chat_template", text(found)];
}

function unwritable(what: string): InputError {
  return new InputError(
    `${FILE}: ${what}; llama.cpp's token ids would be wrong, so that it cannot be written as GGUF`,
  );
}
