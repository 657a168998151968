import type { StateDict, WeightSource } from "../../data/tensor.ts";
import type { ModelConfig } from "../../eval/architectures/config.ts";

const small = { hidden_size: 64, intermediate_size: 96, num_hidden_layers: 2, vocab_size: 80 };
const heads = { num_attention_heads: 4, max_position_embeddings: 64 };
const llama = { ...small, ...heads, num_key_value_heads: 2 };

const gemma = { ...llama, model_type: "gemma", head_dim: 24, num_key_value_heads: 1 };
const stablelm = { ...llama, model_type: "stablelm", num_key_value_heads: 4 };

/** Small models of every kind that llama.cpp has; settings beside the usual ones in their names. */
export const ggufConfigs: Readonly<Record<string, ModelConfig>> = {
  "llama": { ...llama, model_type: "llama", rope_parameters: { rope_theta: 500 } },
  "llama with biases, tied": {
    ...llama,
    model_type: "llama",
    attention_bias: true,
    mlp_bias: true,
    tie_word_embeddings: true,
  },
  "llama with YaRN of unusual betas": {
    ...llama,
    model_type: "llama",
    rope_parameters: {
      rope_type: "yarn",
      rope_theta: 10_000,
      factor: 4,
      original_max_position_embeddings: 16,
      beta_fast: 8,
      beta_slow: 2,
    },
  },
  "llama in a context shorter than LongRoPE's": {
    ...llama,
    model_type: "llama",
    max_position_embeddings: 2048,
    rope_scaling: {
      rope_type: "longrope",
      original_max_position_embeddings: 512,
      short_factor: [1, 1.1, 1.2, 1.3, 1.5, 2, 2.5, 3],
      long_factor: [1, 2, 3, 4, 5, 6, 7, 8],
    },
  },
  "mistral": { ...llama, model_type: "mistral", head_dim: 24, sliding_window: null },
  "qwen2": { ...llama, model_type: "qwen2", tie_word_embeddings: true, rope_theta: 1e6 },
  "qwen2 with YaRN": {
    ...llama,
    model_type: "qwen2",
    rope_scaling: { rope_type: "yarn", factor: 4, original_max_position_embeddings: 16 },
  },
  "seed_oss": { ...llama, model_type: "seed_oss", head_dim: 24 },
  "qwen3": { ...llama, model_type: "qwen3", head_dim: 32 },
  "gpt2": {
    model_type: "gpt2",
    n_embd: 64,
    n_head: 4,
    n_layer: 2,
    n_positions: 64,
    vocab_size: 80,
  },
  "gpt_neox": { ...small, ...heads, model_type: "gpt_neox", rotary_pct: 0.25 },
  "gpt_neox, one after the other, tied": {
    ...small,
    ...heads,
    model_type: "gpt_neox",
    use_parallel_residual: false,
    tie_word_embeddings: true,
    hidden_act: "gelu_new",
  },
  // What llama.cpp counts layers by needs as many.
  "gemma": gemma,
  "gemma2": {
    ...gemma,
    model_type: "gemma2",
    sliding_window: 7,
    query_pre_attn_scalar: 24,
    attn_logit_softcapping: 3,
    final_logit_softcapping: 2,
  },
  "gemma3_text": {
    ...gemma,
    model_type: "gemma3_text",
    num_hidden_layers: 7,
    sliding_window: 7,
    query_pre_attn_scalar: 24,
    rope_theta: 5000,
    rope_scaling: { rope_type: "linear", factor: 4 },
  },
  "phi": { ...llama, model_type: "phi" },
  "phi3": { ...llama, model_type: "phi3", partial_rotary_factor: 0.5 },
  "phi3 with LongRoPE": {
    ...llama,
    model_type: "phi3",
    max_position_embeddings: 2048,
    original_max_position_embeddings: 512,
    rope_scaling: {
      type: "longrope",
      short_factor: [1, 1.1, 1.2, 1.3, 1.5, 2, 2.5, 3],
      long_factor: [1, 2, 3, 4, 5, 6, 7, 8],
    },
  },
  "olmo2": { ...llama, model_type: "olmo2", rope_theta: 500 },
  "smollm3": { ...llama, model_type: "smollm3", num_hidden_layers: 5 },
  "granite": {
    ...llama,
    model_type: "granite",
    attention_multiplier: 0.4,
    embedding_multiplier: 3,
    logits_scaling: 1.7,
    residual_multiplier: 0.6,
  },
  "stablelm": { ...stablelm, use_qkv_bias: true },
  "stablelm in parallel": { ...stablelm, use_parallel_residual: true },
  "starcoder2": { ...llama, model_type: "starcoder2" },
  "falcon": { ...small, ...heads, model_type: "falcon" },
  "falcon, grouped": {
    ...small,
    ...heads,
    model_type: "falcon",
    new_decoder_architecture: true,
    num_kv_heads: 2,
    num_ln_in_parallel_attn: 1,
  },
};

/** A byte-level tokenizer of so many tokens, each one letter: llama.cpp does not run without one. */
export function letters(size: number) {
  const vocab = Object.fromEntries(
    Array.from({ length: size }, (_, id) => [String.fromCodePoint(0x4e00 + id), id]),
  );
  const byteLevel = { type: "ByteLevel", add_prefix_space: false, use_regex: true };
  return {
    tokenizer: {
      added_tokens: [],
      pre_tokenizer: byteLevel,
      decoder: byteLevel,
      model: { type: "BPE", vocab, merges: [] },
    },
  };
}

/** Weights that are in memory, as a source of them. */
export function sourceOf(weights: StateDict): WeightSource {
  return {
    tensors: Array.from(weights, ([name, { dtype, shape }]) => ({ name, dtype, shape })),
    read: (name) => Promise.resolve(weights.get(name)!),
  };
}
