import assert from "node:assert";
import { elementCount } from "../../data/tensor.ts";
import { expectedTensors } from "../weights/expected_tensors.ts";
import type { ModelConfig } from "./config.ts";
import { describeModel } from "./registry.ts";

const gpt2 = {
  model_type: "gpt2",
  activation_function: "gelu_new",
  n_ctx: 1024,
  n_embd: 768,
  n_head: 12,
  n_layer: 12,
  n_positions: 1024,
  vocab_size: 50257,
};
const llama = {
  model_type: "llama",
  attention_bias: false,
  hidden_act: "silu",
  rms_norm_eps: 1e-5,
  rope_scaling: null,
  tie_word_embeddings: true,
};
const distilBert = {
  model_type: "distilbert",
  activation: "gelu",
  dim: 768,
  hidden_dim: 3072,
  max_position_embeddings: 512,
  n_heads: 12,
  n_layers: 6,
  sinusoidal_pos_embds: false,
  vocab_size: 30522,
};

/** The parts that matter of the config.json on the hub, and the number of parameters there. */
const published: Record<string, [ModelConfig, number]> = {
  "GPT-2": [gpt2, 124_439_808],
  "GPT-2 XL": [{ ...gpt2, n_embd: 1600, n_head: 25, n_layer: 48 }, 1_557_611_200],
  "DistilGPT-2": [{ ...gpt2, n_layer: 6, _num_labels: 1 }, 81_912_576],
  "SmolLM-135M": [{
    ...llama,
    hidden_size: 576,
    intermediate_size: 1536,
    max_position_embeddings: 2048,
    num_attention_heads: 9,
    num_hidden_layers: 30,
    num_key_value_heads: 3,
    rope_theta: 10000.0,
    vocab_size: 49152,
  }, 134_515_008],
  "Llama 3.2 1B": [{
    ...llama,
    head_dim: 64,
    hidden_size: 2048,
    intermediate_size: 8192,
    max_position_embeddings: 131072,
    num_attention_heads: 32,
    num_hidden_layers: 16,
    num_key_value_heads: 8,
    rope_scaling: {
      factor: 32.0,
      high_freq_factor: 4.0,
      low_freq_factor: 1.0,
      original_max_position_embeddings: 8192,
      rope_type: "llama3",
    },
    rope_theta: 500000.0,
    vocab_size: 128256,
  }, 1_235_814_400],
  "Mistral 7B": [{
    ...llama,
    model_type: "mistral",
    hidden_size: 4096,
    intermediate_size: 14336,
    max_position_embeddings: 32768,
    num_attention_heads: 32,
    num_hidden_layers: 32,
    num_key_value_heads: 8,
    sliding_window: 4096,
    tie_word_embeddings: false,
    vocab_size: 32000,
  }, 7_241_732_096],
  "Qwen2 0.5B": [{
    model_type: "qwen2",
    hidden_act: "silu",
    hidden_size: 896,
    intermediate_size: 4864,
    max_position_embeddings: 131072,
    max_window_layers: 24,
    num_attention_heads: 14,
    num_hidden_layers: 24,
    num_key_value_heads: 2,
    rms_norm_eps: 1e-6,
    rope_theta: 1000000.0,
    sliding_window: 131072,
    tie_word_embeddings: true,
    use_sliding_window: false,
    vocab_size: 151936,
  }, 494_032_768],
  "Pythia 160M": [{
    model_type: "gpt_neox",
    hidden_act: "gelu",
    hidden_size: 768,
    intermediate_size: 3072,
    layer_norm_eps: 1e-5,
    max_position_embeddings: 2048,
    num_attention_heads: 12,
    num_hidden_layers: 12,
    rotary_emb_base: 10000,
    rotary_pct: 0.25,
    tie_word_embeddings: false,
    use_parallel_residual: true,
    vocab_size: 50304,
  }, 162_322_944],
  "DistilBERT, masked": [
    { ...distilBert, architectures: ["DistilBertForMaskedLM"] },
    66_985_530,
  ],
  "DistilBERT, SST-2": [
    { ...distilBert, architectures: ["DistilBertForSequenceClassification"] },
    66_955_010,
  ],
};

for (const [name, [config, parameters]] of Object.entries(published)) {
  Deno.test(`${name} has as many parameters as published`, () => {
    const shapes = expectedTensors(describeModel(config, []));
    const total = [...shapes.values()].reduce((sum, shape) => sum + elementCount(shape), 0);
    assert.equal(total, parameters);
  });
}
