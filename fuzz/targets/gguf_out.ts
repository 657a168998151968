import assert from "node:assert";
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { readGgufHeader } from "../../data/gguf/header.ts";
import { memorySource } from "../../data/memory_source.ts";
import { randomStateDict } from "../../eval/testdata/random_model.ts";
import { planGguf } from "../../gguf/plan_gguf.ts";
import { ggufWeightTypes } from "../../gguf/tensor_types.ts";
import { isJsonObject } from "../../data/json_file.ts";
import type { Random } from "../../kan/numeric/random.ts";
import { awkwardValue, type Json, mutateJson } from "../mutate_json.ts";
import type { FuzzTarget } from "../target.ts";

type JsonObject = { [key: string]: Json };

interface Recorded {
  readonly models: Record<string, JsonObject>;
  readonly variants: readonly JsonObject[];
}

const file = new URL("../../data/tokenizer/testdata/recorded_ids.json.gz", import.meta.url);
const { models, variants }: Recorded = JSON.parse(gunzipSync(readFileSync(file)).toString());

/** Small models of which every tokenizer has fewer tokens. */
const llama: JsonObject = {
  model_type: "llama",
  vocab_size: 900,
  hidden_size: 32,
  intermediate_size: 32,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  max_position_embeddings: 64,
  rope_parameters: { rope_type: "yarn", factor: 4, rope_theta: 500 },
};
const gpt2: JsonObject = {
  model_type: "gpt2",
  vocab_size: 900,
  n_embd: 32,
  n_head: 2,
  n_layer: 1,
  n_positions: 16,
};
const heads = { num_key_value_heads: 1, head_dim: 16 };
const sounds: readonly JsonObject[] = [
  llama,
  gpt2,
  {
    ...llama,
    ...heads,
    model_type: "gemma3_text",
    query_pre_attn_scalar: 16,
    sliding_window: 8,
    rope_parameters: {
      full_attention: { rope_type: "linear", factor: 4, rope_theta: 500 },
      sliding_attention: { rope_type: "default", rope_theta: 10_000 },
    },
  },
  { ...llama, model_type: "falcon", new_decoder_architecture: true, num_ln_in_parallel_attn: 1 },
  { ...llama, ...heads, model_type: "granite", attention_multiplier: 0.5, logits_scaling: 2 },
  {
    ...llama,
    model_type: "phi3",
    original_max_position_embeddings: 16,
    rope_parameters: {
      rope_type: "longrope",
      short_factor: [1, 1, 1, 1, 1, 1, 1, 2],
      long_factor: [1, 2, 3, 4, 5, 6, 7, 8],
    },
  },
];
const weights = new Map(sounds.map((config) => [
  config["model_type"],
  randomStateDict(config, 1),
]));

function recordedTokenizer(random: Random): JsonObject {
  const { model, settings, normalizer, pre_tokenizer, decoder, added_tokens } =
    variants[random.integer(variants.length)]!;
  return {
    ...{ normalizer, pre_tokenizer, decoder, added_tokens } as JsonObject,
    post_processor: random.integer(2) === 0 ? null : {
      type: "TemplateProcessing",
      single: [{ SpecialToken: { id: "<s>", type_id: 0 } }, { Sequence: { id: "A", type_id: 0 } }],
      special_tokens: { "<s>": { id: "<s>", ids: [1], tokens: ["<s>"] } },
    },
    model: { ...models[String(model)], ...settings as JsonObject },
  };
}

/** Changes one part, so that the many entries of a vocabulary do not take all changes. */
function mutatePart(random: Random, tokenizer: JsonObject): Json {
  const names = Object.keys(tokenizer);
  const name = names[random.integer(names.length)]!;
  return { ...tokenizer, [name]: mutateJson(random, tokenizer[name]!) };
}

/** Models to be written as GGUF. */
export const target: FuzzTarget = {
  name: "gguf_out",
  description:
    "config.json and the recorded tokenizers with changed values, beside sound weights: " +
    "planned as GGUF, written where they are accepted, and the header read again.",
  mutate(random) {
    const sound = sounds[random.integer(sounds.length)]!;
    const tokenizer = recordedTokenizer(random);
    const settings = { bos_token: "<s>", eos_token: awkwardValue(random) };
    return new TextEncoder().encode(JSON.stringify({
      type: ggufWeightTypes[random.integer(ggufWeightTypes.length)],
      of: sound["model_type"],
      config: random.integer(3) === 0 ? mutateJson(random, sound) : sound,
      tokenizer: random.integer(3) > 0 ? mutatePart(random, tokenizer) : tokenizer,
      settings: random.integer(3) === 0 ? mutateJson(random, settings) : settings,
    }));
  },
  async read(input) {
    const { type, of, config, tokenizer, settings } = JSON.parse(new TextDecoder().decode(input));
    // Files that hold no object are refused when they are read.
    if (![config, tokenizer, settings].every(isJsonObject)) return;
    const state = weights.get(of)!;
    const source = {
      tensors: Array.from(state, ([name, { dtype, shape }]) => ({ name, dtype, shape })),
      read: (name: string) => Promise.resolve(state.get(name)!),
    };
    const plan = planGguf({ config, weights: source, tokenizer: { tokenizer, settings } }, type);
    const chunks: Uint8Array[] = [];
    for await (const chunk of plan.chunks()) chunks.push(chunk);
    const bytes = new Uint8Array(await new Blob(chunks as BlobPart[]).arrayBuffer());
    assert.equal(bytes.length, plan.byteLength);
    const { tensors, metadata } = await readGgufHeader(memorySource(bytes, "model.gguf"));
    assert.equal(tensors.length, plan.tensorCount);
    const tokens = metadata.get("tokenizer.ggml.tokens");
    assert.ok(tokens?.type === "ARRAY" && tokens.elements.values.length === config["vocab_size"]);
  },
};
