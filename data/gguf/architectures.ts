import type {
  ConfigRow,
  GgufArchitecture,
  ScoreSizes,
  TensorRow,
  ValueChange,
} from "./architecture.ts";

const LLAMA_TENSORS: readonly TensorRow[] = [
  ["token_embd", "embed_tokens"],
  ["output_norm", "norm"],
  ["blk.{}.attn_norm", "layers.{}.input_layernorm"],
  ["blk.{}.attn_q", "layers.{}.self_attn.q_proj"],
  ["blk.{}.attn_k", "layers.{}.self_attn.k_proj"],
  ["blk.{}.attn_v", "layers.{}.self_attn.v_proj"],
  ["blk.{}.attn_output", "layers.{}.self_attn.o_proj"],
  ["blk.{}.ffn_norm", "layers.{}.post_attention_layernorm"],
  ["blk.{}.ffn_gate", "layers.{}.mlp.gate_proj"],
  ["blk.{}.ffn_up", "layers.{}.mlp.up_proj"],
  ["blk.{}.ffn_down", "layers.{}.mlp.down_proj"],
];

const HEAD_NORMS: readonly TensorRow[] = [
  ["blk.{}.attn_q_norm", "layers.{}.self_attn.q_norm"],
  ["blk.{}.attn_k_norm", "layers.{}.self_attn.k_norm"],
];

/** Rows whose names stay, with other ways to store their values. */
function changed(
  rows: readonly TensorRow[],
  changes: Readonly<Record<string, ValueChange>>,
): readonly TensorRow[] {
  return rows.map(([gguf, huggingFace, change]) => {
    const now = changes[gguf.replace("blk.{}.", "")] ?? change;
    return now === undefined ? [gguf, huggingFace] : [gguf, huggingFace, now];
  });
}

const SILU = ["silu", "swish"];
/** llama.cpp has only the approximation by tanh, and takes its values from a table of f16. */
const GELU = ["gelu_new", "gelu_pytorch_tanh", "gelu_fast", "gelu"];

const ROTATES_PAIRS = { attn_q: "queryPairs", attn_k: "keyPairs" } as const;

const LLAMA_CONFIG: readonly ConfigRow[] = [
  ["hidden_size", "embedding_length", "uint32"],
  ["num_hidden_layers", "block_count", "uint32"],
  ["intermediate_size", "feed_forward_length", "uint32"],
  ["num_attention_heads", "attention.head_count", "uint32"],
  ["num_key_value_heads", "attention.head_count_kv", "uint32"],
  ["max_position_embeddings", "context_length", "uint32"],
  ["rms_norm_eps", "attention.layer_norm_rms_epsilon", "float32"],
];

/** Norms of Gemma 2 and 3, of which the first row is Llama's. */
const NORMS_AROUND: readonly TensorRow[] = [
  ["blk.{}.post_attention_norm", "layers.{}.post_attention_layernorm"],
  ["blk.{}.ffn_norm", "layers.{}.pre_feedforward_layernorm"],
  ["blk.{}.post_ffw_norm", "layers.{}.post_feedforward_layernorm"],
];

/** Llama's rows without some, by their names in GGUF. */
function without(names: readonly string[]): readonly TensorRow[] {
  return LLAMA_TENSORS.filter(([gguf]) => !names.includes(gguf.replace("blk.{}.", "")));
}

/** Llama's numbers with one under another key of config.json. */
function epsilonCalled(key: string): readonly ConfigRow[] {
  return LLAMA_CONFIG.map((row): ConfigRow =>
    row[0] === "rms_norm_eps" ? [key, "attention.layer_norm_epsilon", "float32"] : row
  );
}

/** All norms, less 1 in Hugging Face's files. */
function gemmaNorms(rows: readonly TensorRow[]): readonly TensorRow[] {
  return rows.map(([gguf, name]) => /norm$/.test(gguf) ? [gguf, name, "plusOne"] : [gguf, name]);
}

/** llama.cpp scales by the size of the heads, but for the largest model, known by its layers. */
function gemmaScale(layersOfLargest: number) {
  return ({ layers, hiddenSize, heads, headSize }: ScoreSizes) =>
    (layers === layersOfLargest ? hiddenSize / heads : headSize) ** -0.5;
}

function gemmaSettings(layersOfLargest: number): NonNullable<GgufArchitecture["settings"]> {
  return (config) => {
    const [hiddenSize, heads] = [
      Number(config["hidden_size"]),
      Number(config["num_attention_heads"]),
    ];
    const isLargest = config["num_hidden_layers"] === layersOfLargest;
    return { query_pre_attn_scalar: isLargest ? hiddenSize / heads : config["head_dim"] };
  };
}

/** A relative of Llama, with what is not as there. */
function llamaLike(
  own: Pick<GgufArchitecture, "modelType" | "name" | "className"> & Partial<GgufArchitecture>,
): GgufArchitecture {
  return {
    prefix: "model.",
    head: "lm_head",
    tensors: LLAMA_TENSORS,
    config: LLAMA_CONFIG,
    runs: { activations: SILU },
    ...own,
  };
}

/**
 * Every architecture that can be read from GGUF and written to it. Where several models share a
 * name in GGUF, the first is what such a file is read as.
 */
export const ggufArchitectures: readonly GgufArchitecture[] = [
  llamaLike({
    modelType: "llama",
    name: "llama",
    className: "LlamaForCausalLM",
    tensors: changed(LLAMA_TENSORS, ROTATES_PAIRS),
    runs: { activations: SILU, frequencyFactors: "any" },
  }),
  llamaLike({
    modelType: "mistral",
    name: "llama",
    className: "MistralForCausalLM",
    tensors: changed(LLAMA_TENSORS, ROTATES_PAIRS),
    runs: { activations: SILU, frequencyFactors: "any" },
  }),
  llamaLike({ modelType: "qwen2", name: "qwen2", className: "Qwen2ForCausalLM" }),
  llamaLike({
    modelType: "qwen3",
    name: "qwen3",
    className: "Qwen3ForCausalLM",
    tensors: [...LLAMA_TENSORS, ...HEAD_NORMS],
    runs: { activations: SILU, withoutBias: ["blk.{}.attn_output"] },
  }),
  llamaLike({
    modelType: "seed_oss",
    name: "seed_oss",
    className: "SeedOssForCausalLM",
    tensors: [
      ...without(["ffn_norm"]),
      ["blk.{}.post_attention_norm", "layers.{}.post_attention_layernorm"],
    ],
    runs: {
      activations: SILU,
      withoutBias: [
        "blk.{}.attn_output",
        "blk.{}.ffn_gate",
        "blk.{}.ffn_up",
        "blk.{}.ffn_down",
      ],
    },
  }),
  llamaLike({
    modelType: "gemma",
    name: "gemma",
    className: "GemmaForCausalLM",
    tensors: gemmaNorms(LLAMA_TENSORS),
    runs: { activations: GELU },
  }),
  llamaLike({
    modelType: "gemma2",
    name: "gemma2",
    className: "Gemma2ForCausalLM",
    tensors: gemmaNorms([...without(["ffn_norm"]), ...NORMS_AROUND]),
    config: [
      ...LLAMA_CONFIG,
      ["sliding_window", "attention.sliding_window", "uint32"],
      ["attn_logit_softcapping", "attn_logit_softcapping", "float32"],
      ["final_logit_softcapping", "final_logit_softcapping", "float32"],
    ],
    settings: gemmaSettings(46),
    runs: { activations: GELU, windowPeriod: 2, scoreScale: gemmaScale(46) },
  }),
  llamaLike({
    modelType: "gemma3_text",
    name: "gemma3",
    className: "Gemma3ForCausalLM",
    tensors: gemmaNorms([...without(["ffn_norm"]), ...NORMS_AROUND, ...HEAD_NORMS]),
    config: [
      ...LLAMA_CONFIG,
      ["sliding_window", "attention.sliding_window", "uint32"],
      ["final_logit_softcapping", "final_logit_softcapping", "float32"],
    ],
    settings: gemmaSettings(62),
    runs: {
      activations: GELU,
      windowPeriod: 6,
      windowTheta: 10_000,
      scoreScale: gemmaScale(62),
    },
  }),
  llamaLike({
    modelType: "phi3",
    name: "phi3",
    className: "Phi3ForCausalLM",
    tensors: [
      ...without(["attn_q", "attn_k", "attn_v", "ffn_gate", "ffn_up"]),
      ["blk.{}.attn_qkv", "layers.{}.self_attn.qkv_proj"],
      ["blk.{}.ffn_up", "layers.{}.mlp.gate_up_proj"],
    ],
    config: [
      ...LLAMA_CONFIG,
      ["original_max_position_embeddings", "rope.scaling.original_context_length", "uint32"],
      ["sliding_window", "attention.sliding_window", "uint32"],
    ],
    // No window is written as one of no tokens.
    settings: ({ sliding_window }) => ({ sliding_window: sliding_window || null }),
    runs: { activations: SILU, frequencyFactors: "longrope" },
  }),
  llamaLike({
    modelType: "olmo2",
    name: "olmo2",
    className: "Olmo2ForCausalLM",
    tensors: [
      ...without(["attn_norm", "ffn_norm"]),
      ["blk.{}.post_attention_norm", "layers.{}.post_attention_layernorm"],
      ["blk.{}.post_ffw_norm", "layers.{}.post_feedforward_layernorm"],
      ...HEAD_NORMS,
    ],
  }),
  llamaLike({
    modelType: "smollm3",
    name: "smollm3",
    className: "SmolLM3ForCausalLM",
    tensors: changed(LLAMA_TENSORS, ROTATES_PAIRS),
    runs: { activations: SILU, rotaryPeriod: 4 },
  }),
  llamaLike({
    modelType: "granite",
    name: "granite",
    className: "GraniteForCausalLM",
    tensors: changed(LLAMA_TENSORS, ROTATES_PAIRS),
    config: [
      ...LLAMA_CONFIG,
      ["attention_multiplier", "attention.scale", "float32"],
      ["embedding_multiplier", "embedding_scale", "float32"],
      ["residual_multiplier", "residual_scale", "float32"],
      ["logits_scaling", "logit_scale", "float32"],
    ],
    runs: { activations: SILU, scales: true },
  }),
  llamaLike({
    modelType: "stablelm",
    name: "stablelm",
    className: "StableLmForCausalLM",
    config: [
      ...epsilonCalled("layer_norm_eps"),
      ["use_parallel_residual", "use_parallel_residual", "bool"],
    ],
    settings: ({ partial_rotary_factor = 1 }, shapes) => ({
      partial_rotary_factor,
      use_qkv_bias: shapes.has("blk.0.attn_q.bias"),
      // llama.cpp goes by what is there.
      use_parallel_residual: !shapes.has("blk.0.ffn_norm.weight"),
    }),
  }),
  llamaLike({
    modelType: "phi",
    name: "phi2",
    className: "PhiForCausalLM",
    tensors: [
      ...without(["output_norm", "attn_output", "ffn_norm", "ffn_gate", "ffn_up", "ffn_down"]),
      ["output_norm", "final_layernorm"],
      ["blk.{}.attn_output", "layers.{}.self_attn.dense"],
      ["blk.{}.ffn_up", "layers.{}.mlp.fc1"],
      ["blk.{}.ffn_down", "layers.{}.mlp.fc2"],
    ],
    config: epsilonCalled("layer_norm_eps"),
    settings: ({ partial_rotary_factor = 1 }) => ({ partial_rotary_factor }),
    runs: { activations: GELU },
  }),
  llamaLike({
    modelType: "starcoder2",
    name: "starcoder2",
    className: "Starcoder2ForCausalLM",
    tensors: [
      ...without(["ffn_gate", "ffn_up", "ffn_down"]),
      ["blk.{}.ffn_up", "layers.{}.mlp.c_fc"],
      ["blk.{}.ffn_down", "layers.{}.mlp.c_proj"],
    ],
    config: epsilonCalled("norm_epsilon"),
    settings: (_, shapes) => ({ use_bias: shapes.has("blk.0.ffn_up.bias") }),
    runs: { activations: GELU, withBias: ["blk.{}.ffn_up", "blk.{}.ffn_down"] },
  }),
  {
    modelType: "falcon",
    name: "falcon",
    className: "FalconForCausalLM",
    prefix: "transformer.",
    head: "lm_head",
    tensors: [
      ["token_embd", "word_embeddings"],
      ["output_norm", "ln_f"],
      ["blk.{}.attn_norm", "h.{}.input_layernorm"],
      ["blk.{}.attn_qkv", "h.{}.self_attention.query_key_value", "rolesFirst"],
      ["blk.{}.attn_output", "h.{}.self_attention.dense"],
      ["blk.{}.ffn_up", "h.{}.mlp.dense_h_to_4h"],
      ["blk.{}.ffn_down", "h.{}.mlp.dense_4h_to_h"],
    ],
    config: [
      ["hidden_size", "embedding_length", "uint32"],
      ["num_hidden_layers", "block_count", "uint32"],
      ["ffn_hidden_size", "feed_forward_length", "uint32"],
      ["num_attention_heads", "attention.head_count", "uint32"],
      ["num_kv_heads", "attention.head_count_kv", "uint32"],
      ["max_position_embeddings", "context_length", "uint32"],
      ["layer_norm_epsilon", "attention.layer_norm_epsilon", "float32"],
    ],
    // transformers' config of Falcon cannot be given a size of heads.
    settings: () => ({
      new_decoder_architecture: true,
      num_ln_in_parallel_attn: 1,
      head_dim: undefined,
    }),
    runs: { activations: GELU, withoutBias: ["blk.{}.attn_qkv", "blk.{}.attn_output"] },
  },
  {
    modelType: "gpt2",
    name: "gpt2",
    className: "GPT2LMHeadModel",
    prefix: "transformer.",
    head: "lm_head",
    tensors: [
      ["token_embd", "wte"],
      ["position_embd", "wpe"],
      ["output_norm", "ln_f"],
      ["blk.{}.attn_norm", "h.{}.ln_1"],
      ["blk.{}.attn_qkv", "h.{}.attn.c_attn", "transposed"],
      ["blk.{}.attn_output", "h.{}.attn.c_proj", "transposed"],
      ["blk.{}.ffn_norm", "h.{}.ln_2"],
      ["blk.{}.ffn_up", "h.{}.mlp.c_fc", "transposed"],
      ["blk.{}.ffn_down", "h.{}.mlp.c_proj", "transposed"],
    ],
    config: [
      ["n_embd", "embedding_length", "uint32"],
      ["n_layer", "block_count", "uint32"],
      ["n_inner", "feed_forward_length", "uint32"],
      ["n_head", "attention.head_count", "uint32"],
      ["n_positions", "context_length", "uint32"],
      ["layer_norm_epsilon", "attention.layer_norm_epsilon", "float32"],
    ],
    runs: { activations: GELU },
  },
  {
    modelType: "gpt_neox",
    name: "gptneox",
    className: "GPTNeoXForCausalLM",
    prefix: "gpt_neox.",
    head: "embed_out",
    tensors: [
      ["token_embd", "embed_in"],
      ["output_norm", "final_layer_norm"],
      ["blk.{}.attn_norm", "layers.{}.input_layernorm"],
      ["blk.{}.attn_qkv", "layers.{}.attention.query_key_value", "rolesFirst"],
      ["blk.{}.attn_output", "layers.{}.attention.dense"],
      ["blk.{}.ffn_norm", "layers.{}.post_attention_layernorm"],
      ["blk.{}.ffn_up", "layers.{}.mlp.dense_h_to_4h"],
      ["blk.{}.ffn_down", "layers.{}.mlp.dense_4h_to_h"],
    ],
    config: [
      ["hidden_size", "embedding_length", "uint32"],
      ["num_hidden_layers", "block_count", "uint32"],
      ["intermediate_size", "feed_forward_length", "uint32"],
      ["num_attention_heads", "attention.head_count", "uint32"],
      ["max_position_embeddings", "context_length", "uint32"],
      ["layer_norm_eps", "attention.layer_norm_epsilon", "float32"],
      ["use_parallel_residual", "use_parallel_residual", "bool"],
    ],
    runs: {
      activations: GELU,
      withBias: ["blk.{}.attn_qkv", "blk.{}.attn_output"],
      ownHead: true,
    },
  },
];
