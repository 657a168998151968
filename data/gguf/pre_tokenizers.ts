import { isJsonObject } from "../json_file.ts";

/** A step of `pre_tokenizer` in tokenizer.json, with every field that has a say. */
type Step = Readonly<Record<string, unknown>>;

/** How byte-level texts are split, by llama.cpp's names and as tokenizer.json says it. */
interface NamedSplit {
  /** The names of `tokenizer.ggml.pre` that mean it, the one to write first. */
  readonly names: readonly string[];
  /** The steps, one after another. */
  readonly steps: readonly Step[];
  /** Other steps that split every text in the same places. */
  readonly alike?: readonly (readonly Step[])[];
  /** Whether words that are tokens are taken whole, whatever the merges say. */
  readonly ignoresMerges?: true;
  /** Whether texts begin with the token for that where the metadata does not say. */
  readonly addsBos?: true;
}

const byteLevel = (regex: boolean): Step => ({
  type: "ByteLevel",
  add_prefix_space: false,
  trim_offsets: true,
  use_regex: regex,
});

const digits = (individual: boolean): Step => ({ type: "Digits", individual_digits: individual });

const split = (pattern: string): Step => ({
  type: "Split",
  pattern: { Regex: pattern },
  behavior: "Isolated",
  invert: false,
});

const CONTRACTIONS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
const SPACES = "\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

/** Words, so many digits at once, signs and spaces, as tiktoken began it. */
const words = (numbers: string): string =>
  `${CONTRACTIONS}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|${numbers}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|${SPACES}`;

/** Words that end where small letters are followed by large ones. */
const casedWords = (contractions: string, numbers: string): string =>
  "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+" +
  `${contractions}|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+` +
  `[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*${contractions}|${numbers}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|${SPACES}`;

/** The words of tiktoken's cl100k, which does not go back where the others would not either. */
const CL100K = "'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}+|\\p{N}{1,3}|" +
  " ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*|\\s*[\\r\\n]|\\s+(?!\\S)|\\s+";

/** Numbers, then Chinese and Japanese, then words with the sign before them. */
const DEEPSEEK = [
  "\\p{N}{1,3}",
  "[一-龥぀-ゟ゠-ヿ]+",
  "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|" +
  "[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*|" + SPACES,
];

/** The splits that both know; names after the first are only read. */
const splits: readonly NamedSplit[] = [
  {
    names: [
      ...["gpt-2", "phi-2", "olmo", "mpt", "jais", "trillion", "modern-bert", "exaone4", "mellum"],
      ...["gigachat", "a.x-4.0", "jina-es", "jina-de", "jina-v2-es", "jina-v2-de"],
      "granite-docling",
    ],
    steps: [byteLevel(true)],
  },
  {
    names: [
      "smollm",
      "starcoder",
      "refact",
      "command-r",
      "codeshell",
      "exaone",
      "minerva-7b",
      "mellum2",
    ],
    steps: [digits(true), byteLevel(true)],
  },
  {
    names: [
      ...["llama-bpe", "llama3", "llama-v3", "falcon3", "falcon-h1", "lfm2", "pixtral", "midm-2.0"],
      "jina-v5-nano",
    ],
    steps: [split(words("\\p{N}{1,3}")), byteLevel(false)],
    ignoresMerges: true,
    addsBos: true,
  },
  {
    names: ["dbrx", "smaug-bpe", "chatglm-bpe", "glm4"],
    steps: [split(words("\\p{N}{1,3}")), byteLevel(false)],
    alike: [[split(CL100K), byteLevel(false)]],
  },
  {
    names: [
      ...["qwen2", "stablelm2", "deepseek-r1-qwen", "hunyuan", "megrez", "solar-open", "grok-2"],
      ...["kormo", "f2llmv2"],
    ],
    steps: [split(words("\\p{N}")), byteLevel(false)],
  },
  {
    names: ["gpt-4o", "llama4", "kanana2", "talkie", "minimax-m2"],
    steps: [split(casedWords(`${CONTRACTIONS}?`, "\\p{N}{1,3}")), byteLevel(false)],
  },
  {
    names: ["tekken"],
    steps: [split(casedWords("", "\\p{N}")), byteLevel(false)],
    ignoresMerges: true,
    addsBos: true,
  },
  {
    names: ["deepseek-v3"],
    steps: [...DEEPSEEK.map(split), byteLevel(false)],
  },
  {
    names: ["falcon"],
    steps: [
      { type: "Punctuation", behavior: "Contiguous" },
      byteLevel(true),
      digits(false),
      split("[0-9][0-9][0-9]"),
    ],
  },
  {
    // What llama.cpp takes for files that name none.
    names: ["default"],
    steps: [
      split("[\\p{P}\\$\\+<=>\\^~\\|]+"),
      split("'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)"),
      digits(false),
      split("[0-9][0-9][0-9]"),
      byteLevel(false),
    ],
  },
  {
    names: ["bloom", "poro-chat", "gpt3-finnish"],
    steps: [split(" ?[^(\\s|.,!?…。，、।۔،)]+"), byteLevel(false)],
  },
  {
    names: ["deepseek-coder"],
    steps: [
      split("[\r\n]"),
      split("\\s?\\p{L}+"),
      split("\\s?\\p{P}+"),
      split("[一-龥ࠀ-一가-퟿]+"),
      digits(true),
      byteLevel(false),
    ],
  },
];

/** What `tokenizer.ggml.pre` means in tokenizer.json. */
export interface PreTokenizerJson {
  /** The value of `pre_tokenizer`. */
  readonly preTokenizer: Readonly<Record<string, unknown>>;
  /** The value of `model.ignore_merges`. */
  readonly ignoresMerges: boolean;
  /** Whether texts begin with the token for that where the metadata does not say. */
  readonly addsBos: boolean;
}

/** Every name of `tokenizer.ggml.pre` that is known. */
export const preTokenizerNames: readonly string[] = splits.flatMap(({ names }) => names);

/** What a name of `tokenizer.ggml.pre` means; undefined for one that is not known. */
export function preTokenizerOf(name: string): PreTokenizerJson | undefined {
  const found = splits.find(({ names }) => names.includes(name));
  if (found === undefined) return undefined;
  const { steps, ignoresMerges = false, addsBos = false } = found;
  const preTokenizer = steps.length === 1 ? steps[0]! : { type: "Sequence", pretokenizers: steps };
  return { preTokenizer, ignoresMerges, addsBos };
}

/**
 * llama.cpp's name of a byte-level `pre_tokenizer`; undefined where it has none. `ignoresMerges` is
 * `model.ignore_merges` of the same file.
 *
 * ```ts
 * import { nameOfPreTokenizer } from "./pre_tokenizers.ts";
 * import assert from "node:assert";
 *
 * const gpt2 = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true };
 * assert.equal(nameOfPreTokenizer(gpt2, false), "gpt-2");
 * ```
 */
export function nameOfPreTokenizer(
  preTokenizer: unknown,
  ignoresMerges: boolean,
): string | undefined {
  const given = flatten(preTokenizer).map(comparable);
  const found = splits.find(({ steps, alike = [], ignoresMerges: ignores = false }) =>
    ignores === ignoresMerges &&
    [steps, ...alike].some((known) => known.map(comparable).join() === given.join())
  );
  return found?.names[0];
}

function flatten(preTokenizer: unknown): unknown[] {
  if (!isJsonObject(preTokenizer) || preTokenizer["type"] !== "Sequence") return [preTokenizer];
  const steps = preTokenizer["pretokenizers"];
  return Array.isArray(steps) ? steps.flatMap(flatten) : [preTokenizer];
}

/** A step with its defaults, and without what has no say in ids. */
function comparable(step: unknown): string {
  if (!isJsonObject(step)) return JSON.stringify(step) ?? "";
  const { type, trim_offsets: _, ...given } = step;
  // What these patterns leave is nothing, so that to remove the rest is to keep each match.
  const keepsMatches = type === "Split" && given["behavior"] === "Removed" &&
    given["invert"] === true;
  const fields = keepsMatches ? { ...given, behavior: "Isolated", invert: false } : given;
  const defaults = type === "ByteLevel"
    ? { add_prefix_space: true, use_regex: true }
    : type === "Split"
    ? { invert: false }
    : {};
  return JSON.stringify([type, ...Object.entries({ ...defaults, ...fields }).sort()]);
}
