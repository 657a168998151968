import type { ModelConfig } from "../architectures/config.ts";

/** A small Llama with grouped keys. */
export const llama = {
  model_type: "llama",
  hidden_size: 48,
  intermediate_size: 72,
  num_attention_heads: 6,
  num_key_value_heads: 2,
  num_hidden_layers: 2,
  max_position_embeddings: 256,
  vocab_size: 301,
};
/** A small GPT-2. */
export const gpt2 = {
  model_type: "gpt2",
  n_embd: 48,
  n_head: 4,
  n_layer: 2,
  n_positions: 256,
  vocab_size: 301,
};

/** Small models of every kind that our programs on WebGPU run, by what they try. */
export const deviceConfigs: Record<string, ModelConfig> = {
  llama,
  "llama with biases": { ...llama, attention_bias: true, mlp_bias: true, head_dim: 12 },
  "mistral with a window": { ...llama, model_type: "mistral", sliding_window: 37 },
  qwen2: { ...llama, model_type: "qwen2" },
  qwen3: { ...llama, model_type: "qwen3", head_dim: 20, tie_word_embeddings: true },
  gemma: { ...llama, model_type: "gemma", head_dim: 20, num_key_value_heads: 1 },
  gemma2: {
    ...llama,
    model_type: "gemma2",
    head_dim: 20,
    sliding_window: 37,
    attn_logit_softcapping: 1.5,
    final_logit_softcapping: 2,
  },
  gemma3_text: { ...llama, model_type: "gemma3_text", head_dim: 20, sliding_window: 37 },
  granite: {
    ...llama,
    model_type: "granite",
    attention_multiplier: 0.3,
    embedding_multiplier: 3,
    logits_scaling: 1.7,
    residual_multiplier: 0.6,
  },
  olmo2: { ...llama, model_type: "olmo2" },
  phi3: { ...llama, model_type: "phi3", sliding_window: 37 },
  falcon: { ...llama, model_type: "falcon" },
  opt: { ...llama, model_type: "opt", ffn_dim: 72 },
  "smollm3 without positions": { ...llama, model_type: "smollm3", no_rope_layers: [1, 0] },
  gpt2,
  "gpt2 with another activation": { ...gpt2, activation_function: "gelu", n_head: 6 },
  gpt_neox: { ...llama, model_type: "gpt_neox", rotary_pct: 0.5, hidden_act: "gelu" },
  "gpt_neox in sequence": { ...llama, model_type: "gpt_neox", use_parallel_residual: false },
};
