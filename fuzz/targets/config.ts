import assert from "node:assert";
import { readJsonObject } from "../../data/json_file.ts";
import { memorySource } from "../../data/memory_source.ts";
import { elementCount, type StateDict } from "../../data/tensor.ts";
import { describeModel } from "../../eval/architectures/registry.ts";
import { useBackend } from "../../eval/compute/backend.ts";
import { createLanguageModel } from "../../eval/generation/language_model.ts";
import { checkTensors, expectedTensors } from "../../eval/weights/expected_tensors.ts";
import { createRandom, type Random } from "../../kan/numeric/random.ts";
import { type Json, mutateJson } from "../mutate_json.ts";
import type { FuzzTarget } from "../target.ts";

type Config = { [key: string]: Json };

const llama: Config = {
  model_type: "llama",
  hidden_size: 8,
  intermediate_size: 12,
  num_attention_heads: 2,
  num_key_value_heads: 1,
  num_hidden_layers: 2,
  max_position_embeddings: 16,
  vocab_size: 11,
  hidden_act: "silu",
  rms_norm_eps: 1e-6,
  rope_theta: 10000,
  attention_bias: false,
  tie_word_embeddings: false,
};

const distilBert: Config = {
  model_type: "distilbert",
  dim: 8,
  hidden_dim: 12,
  n_heads: 2,
  n_layers: 2,
  max_position_embeddings: 16,
  vocab_size: 11,
  activation: "gelu",
};

/** A small config of each kind. */
const SOUND: readonly Config[] = [
  {
    model_type: "gpt2",
    n_embd: 8,
    n_head: 2,
    n_layer: 2,
    n_positions: 16,
    n_inner: null,
    vocab_size: 11,
    activation_function: "gelu_new",
    layer_norm_epsilon: 1e-5,
    scale_attn_weights: true,
    tie_word_embeddings: true,
  },
  llama,
  {
    ...llama,
    rope_scaling: {
      rope_type: "llama3",
      factor: 8,
      low_freq_factor: 1,
      high_freq_factor: 4,
      original_max_position_embeddings: 8,
    },
  },
  { ...llama, rope_parameters: { rope_type: "linear", factor: 2, rope_theta: 500 } },
  {
    ...llama,
    rope_parameters: {
      rope_type: "yarn",
      factor: 4,
      beta_fast: 32,
      beta_slow: 1,
      original_max_position_embeddings: 8,
    },
  },
  { ...llama, rope_scaling: { type: "dynamic", factor: 2 } },
  {
    ...llama,
    rope_scaling: {
      type: "longrope",
      short_factor: [1, 1],
      long_factor: [2, 3],
      original_max_position_embeddings: 8,
    },
  },
  { ...llama, model_type: "mistral", sliding_window: 4 },
  {
    ...llama,
    model_type: "qwen2",
    use_sliding_window: true,
    sliding_window: 4,
    max_window_layers: 1,
  },
  { ...llama, model_type: "qwen3", head_dim: 6 },
  { ...llama, model_type: "gpt_neox", rotary_pct: 0.5, use_parallel_residual: true },
  { ...llama, model_type: "falcon", new_decoder_architecture: true, num_kv_heads: 2 },
  { ...llama, model_type: "gemma", head_dim: 6, num_key_value_heads: 1 },
  { ...llama, model_type: "gemma2", head_dim: 6, sliding_window: 4 },
  {
    ...llama,
    model_type: "gemma3_text",
    head_dim: 6,
    sliding_window: 4,
    layer_types: ["sliding_attention", "full_attention"],
    rope_parameters: {
      full_attention: { rope_type: "linear", factor: 4, rope_theta: 500 },
      sliding_attention: { rope_type: "default", rope_theta: 100 },
    },
  },
  {
    ...llama,
    model_type: "granite",
    attention_multiplier: 0.5,
    embedding_multiplier: 2,
    logits_scaling: 3,
    residual_multiplier: 0.5,
  },
  { ...llama, model_type: "olmo2" },
  { ...llama, model_type: "opt", ffn_dim: 12 },
  { ...llama, model_type: "phi", partial_rotary_factor: 0.5 },
  { ...llama, model_type: "phi3", sliding_window: 4 },
  { ...llama, model_type: "smollm3", no_rope_layers: [0, 1] },
  { ...llama, model_type: "stablelm", partial_rotary_factor: 0.5, use_parallel_residual: true },
  { ...llama, model_type: "starcoder2", use_bias: false },
  { ...distilBert, architectures: ["DistilBertForMaskedLM"] },
  {
    ...distilBert,
    architectures: ["DistilBertForSequenceClassification"],
    id2label: { 0: "a", 1: "b", 2: "c" },
  },
];

/** Weights that each of them asks for. */
const WEIGHTS: readonly StateDict[] = SOUND.map((config) => {
  const random = createRandom(1);
  return new Map(
    Array.from(expectedTensors(describeModel(config, [])), ([name, shape]) => {
      const data = Float32Array.from({ length: elementCount(shape) }, () => random.normal());
      return [name, { dtype: "F32", shape, data }];
    }),
  );
});

/** A number in the config, or in an object of it, replaced by one that asks for too much. */
function hostileNumber(random: Random, config: Config): Config {
  const inner = Object.entries(config).find(([key]) =>
    key.startsWith("rope_") && random.integer(2)
  );
  if (inner !== undefined && typeof inner[1] === "object") {
    return { ...config, [inner[0]]: hostileNumber(random, inner[1] as Config) };
  }
  const keys = Object.keys(config).filter((key) => typeof config[key] === "number");
  if (keys.length === 0) return config;
  const key = keys[random.integer(keys.length)]!;
  const sizes = [1e8, 2 ** 31, 2 ** 53, 1e300, Number(config[key]) * 1000, Number(config[key]) + 1];
  return { ...config, [key]: sizes[random.integer(sizes.length)]! };
}

/** The model of an input that is accepted. */
export async function acceptedModel(input: Uint8Array) {
  const config = await readJsonObject(memorySource(input.subarray(1), "config.json"));
  const weights = WEIGHTS[(input[0] ?? 0) % WEIGHTS.length]!;
  const tensors = [...weights].map(([name, { shape }]) => ({ name, shape }));
  const description = describeModel(config, weights.keys());
  checkTensors(config, description, tensors);
  return { config, weights, description };
}

/** Mutations of config.json. */
export const target: FuzzTarget = {
  name: "config",
  description:
    "config.json of every architecture with changed values, beside weights of the sound one: read, " +
    "and the model run where it is accepted.",
  mutate(random) {
    const index = random.integer(SOUND.length);
    const sound = SOUND[index]!;
    const changed = random.integer(3) === 0
      ? hostileNumber(random, sound)
      : mutateJson(random, sound);
    return Uint8Array.of(index, ...new TextEncoder().encode(JSON.stringify(changed)));
  },
  async read(input) {
    const { config, weights, description } = await acceptedModel(input);
    await useBackend("cpu");
    const model = createLanguageModel(config, weights);
    try {
      const logits = model.logits(Int32Array.of(1, 2, 3));
      assert.equal(logits.shape[2], description.head.outputs);
      assert.equal((await logits.data()).length, logits.size);
      logits.dispose();
    } finally {
      model.dispose();
    }
  },
};
