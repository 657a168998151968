import { isJsonObject } from "../json_file.ts";

/** Settings of a tokenizer: the contents of `tokenizer_config.json`. */
export type TokenizerSettings = Readonly<Record<string, unknown>>;

/** The tokens that a model's text may need beside its own. */
export interface SpecialTokens {
  /** Begins a text. */
  readonly bos?: string;
  /** Ends a text. */
  readonly eos?: string;
  /** Stands for a token to be predicted. */
  readonly mask?: string;
}

const bert: SpecialTokens = { bos: "[CLS]", eos: "[SEP]", mask: "[MASK]" };
const fairseq: SpecialTokens = { bos: "<s>", eos: "</s>", mask: "<mask>" };
const sentencePiece: SpecialTokens = { bos: "<s>", eos: "</s>" };
const endOfText: SpecialTokens = { bos: "<|endoftext|>", eos: "<|endoftext|>" };

/** Defaults by tokenizer class, as transformers 5 has them. */
const classTokens: ReadonlyMap<string, SpecialTokens> = new Map([
  ["AlbertTokenizer", bert],
  ["BertTokenizer", bert],
  ["CamembertTokenizer", fairseq],
  ["CodeGenTokenizer", endOfText],
  ["CodeLlamaTokenizer", sentencePiece],
  ["CohereTokenizer", { bos: "<BOS_TOKEN>", eos: "<|END_OF_TURN_TOKEN|>", mask: "<MASK_TOKEN>" }],
  ["DebertaTokenizer", bert],
  ["DebertaV2Tokenizer", bert],
  ["DistilBertTokenizer", bert],
  ["ElectraTokenizer", bert],
  ["GPT2Tokenizer", endOfText],
  ["GPTNeoXTokenizer", endOfText],
  ["GemmaTokenizer", { bos: "<bos>", eos: "<eos>", mask: "<mask>" }],
  ["LlamaTokenizer", sentencePiece],
  ["MPNetTokenizer", fairseq],
  ["Qwen2Tokenizer", { eos: "<|endoftext|>" }],
  ["RobertaTokenizer", fairseq],
  ["T5Tokenizer", { eos: "</s>" }],
  ["XGLMTokenizer", sentencePiece],
  ["XLMRobertaTokenizer", fairseq],
]);

/** The class that transformers takes where no file names one, by config.json's `model_type`. */
const classesOfModels: ReadonlyMap<string, string> = new Map([
  ["bert", "BertTokenizer"],
  ["codegen", "GPT2Tokenizer"],
  ["cohere", "CohereTokenizer"],
  ["cohere2", "CohereTokenizer"],
  ["distilbert", "BertTokenizer"],
  ["electra", "BertTokenizer"],
  ["gemma", "GemmaTokenizer"],
  ["gemma2", "GemmaTokenizer"],
  ["gemma3_text", "GemmaTokenizer"],
  ["gpt2", "GPT2Tokenizer"],
  ["gpt_neox", "GPTNeoXTokenizer"],
  ["opt", "GPT2Tokenizer"],
  ["phi", "GPT2Tokenizer"],
  ["qwen2", "Qwen2Tokenizer"],
  ["qwen3", "Qwen2Tokenizer"],
  ["roberta", "RobertaTokenizer"],
  ["starcoder2", "GPT2Tokenizer"],
  ["xlm-roberta", "XLMRobertaTokenizer"],
]);

/**
 * Joins what a model folder says about its tokenizer, as transformers 5 does: `special_tokens_map`
 * (from special_tokens_map.json) goes before `settings` (tokenizer_config.json), unless the latter
 * has `added_tokens_decoder`; the class is taken from `settings`, from config.json, or by its
 * `model_type`.
 */
export function joinSettings(
  settings: TokenizerSettings = {},
  specialTokensMap: TokenizerSettings | undefined,
  config: Readonly<Record<string, unknown>>,
): TokenizerSettings {
  const named = settings["added_tokens_decoder"] === undefined ? specialTokensMap : undefined;
  const tokenizerClass = settings["tokenizer_class"] ?? config["tokenizer_class"] ??
    classesOfModels.get(String(config["model_type"]));
  return { ...settings, ...named, tokenizer_class: tokenizerClass };
}

/** The special tokens that the settings name, or else their tokenizer class. */
export function nameSpecialTokens(settings: TokenizerSettings, byteLevel: boolean): SpecialTokens {
  const tokenizerClass = String(settings["tokenizer_class"]).replace(/Fast$/, "");
  // Transformers does not believe the name Llama of a byte-level tokenizer.
  const byClass = byteLevel && tokenizerClass === "LlamaTokenizer"
    ? {}
    : classTokens.get(tokenizerClass) ?? {};
  const find = (names: readonly string[], absent: string | undefined): string | undefined => {
    for (const name of names) {
      const content = contentOf(settings, name);
      if (content !== undefined) return content;
    }
    // A null says that there is no such token, whatever the class says.
    return names.some((name) => settings[name] === null) ? undefined : absent;
  };
  const bos = find(["bos_token", "cls_token"], byClass.bos);
  const eos = find(["eos_token", "sep_token"], byClass.eos);
  const mask = find(["mask_token"], byClass.mask);
  return {
    ...(bos !== undefined && { bos }),
    ...(eos !== undefined && { eos }),
    ...(mask !== undefined && { mask }),
  };
}

/** Names of special tokens in settings, by which chat templates know them too. */
const namesInSettings = ["bos", "eos", "unk", "sep", "pad", "cls", "mask"]
  .map((name) => `${name}_token`);

/** The texts of special tokens by the names that chat templates know them by. */
export function specialTokenTexts(
  settings: TokenizerSettings,
  byteLevel: boolean,
): Record<string, string> {
  const { bos, eos } = nameSpecialTokens(settings, byteLevel);
  const named = { bos_token: bos, eos_token: eos };
  const own = namesInSettings.map((name) => [name, contentOf(settings, name)] as const);
  const all = [...Object.entries(named), ...own];
  return Object.fromEntries(
    all.flatMap(([name, text]) => text === undefined ? [] : [[name, text]]),
  );
}

/** Special tokens are named as a text or, in older files, as an object with their content. */
function contentOf(settings: TokenizerSettings, name: string): string | undefined {
  const token = settings[name];
  const content = isJsonObject(token) ? token["content"] : token;
  return typeof content === "string" ? content : undefined;
}
