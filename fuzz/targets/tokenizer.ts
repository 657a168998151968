import assert from "node:assert";
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { memorySource } from "../../data/memory_source.ts";
import { readTextTokenizer } from "../../data/read_tokenizer.ts";
import type { Random } from "../../kan/numeric/random.ts";
import { mutateBytes } from "../mutate_bytes.ts";
import { awkwardValue, type Json, mutateJson } from "../mutate_json.ts";
import type { FuzzTarget } from "../target.ts";

/** A tokenizer.json with a text to tokenize, as one input. */
interface Case {
  readonly text: string;
  readonly tokenizer: Json;
  readonly settings?: Json;
}

interface Recorded {
  readonly texts: string[];
  readonly models: Record<string, { [key: string]: Json }>;
  readonly variants: { readonly [part: string]: Json }[];
}

const file = new URL("../../data/tokenizer/testdata/recorded_ids.json.gz", import.meta.url);
const { texts, models, variants }: Recorded = JSON.parse(gunzipSync(readFileSync(file)).toString());

/** Pieces of regular expressions, sound and not, of which foreign ones are put together. */
const PATTERN_PARTS = [
  ..."abZ09 .^$|()[]{}*+?\\-,&é😀",
  ...[
    "\\p{L}",
    "\\P{N}",
    "\\s",
    "\\S",
    "\\w",
    "\\b",
    "\\p{constructor}",
    "\\p{Han}",
    "(?:",
    "(?i:",
    "(?=",
    "(?!",
    "(?<=",
    "(?<!",
  ],
  ...["(?>", "++", "*?", "{2,}", "{1,3}", "{999999999}", "[^", "[a-z]", "&&", "(a+)+", "(?:a|a)*"],
];

function pattern(random: Random): string {
  let source = "";
  for (let parts = 1 + random.integer(12); parts > 0; parts--) {
    source += PATTERN_PARTS[random.integer(PATTERN_PARTS.length)];
  }
  return source;
}

/** A split by a random pattern as the pre-tokenizer, where normalizers may have one as well. */
function withPattern(random: Random, tokenizer: { [key: string]: Json }): void {
  const behaviors = ["Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"];
  const behavior = behaviors[random.integer(behaviors.length)]!;
  const Regex = pattern(random);
  if (random.integer(3) === 0) {
    tokenizer["normalizer"] = { type: "Replace", pattern: { Regex }, content: "b" };
  } else {
    tokenizer["pre_tokenizer"] = { type: "Split", pattern: { Regex }, behavior };
  }
}

function text(random: Random): string {
  if (random.integer(8) === 0) return "a".repeat(1 + random.integer(3000));
  return texts[random.integer(texts.length)]! + texts[random.integer(texts.length)]!;
}

/** The tokenizers whose ids are recorded, with parts exchanged, values and patterns changed. */
export const target: FuzzTarget = {
  name: "tokenizer",
  description: "tokenizer.json and tokenizer_config.json of the recorded tokenizers, with parts " +
    "exchanged, values replaced and random regular expressions, and a text that they tokenize",

  mutate(random) {
    const choose = () => variants[random.integer(variants.length)]!;
    const chosen = choose();
    const { normalizer, pre_tokenizer, decoder, added_tokens } = random.integer(3) === 0
      ? { ...choose(), decoder: choose()["decoder"]! }
      : chosen;
    let tokenizer: Json = {
      ...{ normalizer, pre_tokenizer, decoder, added_tokens } as { [key: string]: Json },
      model: {
        ...models[String(chosen["model"])],
        ...chosen["settings"] as { [key: string]: Json },
      },
    };
    if (random.integer(3) === 0) withPattern(random, tokenizer);
    if (random.integer(3) > 0) tokenizer = mutateParts(random, tokenizer);
    const settings = { bos_token: "<s>", eos_token: awkwardValue(random), tokenizer_class: "GPT2" };
    const whole: Case = { text: text(random), tokenizer, settings };
    const bytes = new TextEncoder().encode(JSON.stringify(whole));
    return random.integer(20) === 0 ? mutateBytes(random, bytes) : bytes;
  },

  async read(input) {
    const whole = parse(input);
    if (whole === undefined) return;
    const source = (value: unknown, name: string) =>
      memorySource(new TextEncoder().encode(JSON.stringify(value)), name);
    const tokenizer = await readTextTokenizer(
      source(whole.tokenizer ?? null, "tokenizer.json"),
      source(whole.settings ?? {}, "tokenizer_config.json"),
      {},
    );
    const ids = tokenizer.encode(whole.text);
    assert.ok(ids.every((id) => id >= 0 && id < tokenizer.vocabularySize));
    assert.equal(typeof tokenizer.decode(ids), "string");
    for (const most of [1, 5]) {
      assert.deepEqual(tokenizer.encode(whole.text, most), ids.slice(0, most));
    }
  },
};

/** Changes one part, so that the many entries of a vocabulary do not take all changes. */
function mutateParts(random: Random, tokenizer: { [key: string]: Json }): Json {
  if (random.integer(4) === 0) return mutateJson(random, tokenizer);
  const names = Object.keys(tokenizer);
  const name = names[random.integer(names.length)]!;
  return { ...tokenizer, [name]: mutateJson(random, tokenizer[name]!) };
}

/** The case that the bytes stand for; undefined where damage left no JSON with a text. */
function parse(input: Uint8Array): Case | undefined {
  try {
    const whole = JSON.parse(new TextDecoder().decode(input));
    return typeof whole?.text === "string" ? whole : undefined;
  } catch {
    return undefined;
  }
}
