import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { randomStateDict } from "../../eval/testdata/random_model.ts";
import { type GgufPlan, planGguf } from "../plan_gguf.ts";

/** What data/tokenizer/testdata/record_ids.py wrote. */
interface Recorded {
  readonly library: string;
  readonly texts: readonly string[];
  readonly models: Readonly<Record<string, Record<string, unknown>>>;
  readonly variants: readonly Variant[];
}

interface Variant {
  readonly name: string;
  readonly model: string;
  readonly settings: Record<string, unknown>;
  readonly added_tokens: readonly { readonly id: number }[];
  /** For each text its ids with spaces between them. */
  readonly ids: readonly string[];
  readonly [part: string]: unknown;
}

const file = new URL("../../data/tokenizer/testdata/recorded_ids.json.gz", import.meta.url);
/** Tokenizers of all kinds, and the ids that the Rust library gives texts. */
export const recorded: Recorded = JSON.parse(gunzipSync(readFileSync(file)).toString());

/** A recorded tokenizer by its name. */
export function variantOf(name: string): Variant {
  return recorded.variants.find((variant) => variant.name === name)!;
}

/** A recorded tokenizer with the smallest model that llama.cpp runs, to be written. */
export function planWithTokenizer(variant: Variant): GgufPlan {
  const { model, settings, normalizer, pre_tokenizer, decoder, added_tokens } = variant;
  const words = { ...recorded.models[model], ...settings };
  const tokenizer = { normalizer, pre_tokenizer, decoder, added_tokens, model: words };
  const { vocab } = words as { vocab: Record<string, number> | readonly unknown[] };
  const vocabulary = Array.isArray(vocab) ? [vocab.length] : Object.values(vocab).map(Number);
  const config = {
    model_type: "llama",
    vocab_size: 1 + Math.max(...vocabulary, ...added_tokens.map(({ id }) => id)),
    hidden_size: 32,
    intermediate_size: 32,
    num_hidden_layers: 1,
    num_attention_heads: 1,
    max_position_embeddings: 64,
  };
  const state = randomStateDict(config, 1);
  const weights = {
    tensors: Array.from(state, ([name, { dtype, shape }]) => ({ name, dtype, shape })),
    read: (name: string) => Promise.resolve(state.get(name)!),
  };
  return planGguf({ config, weights, tokenizer: { tokenizer } }, "f32");
}
