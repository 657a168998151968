/** How a tensor's values stand in GGUF, where that is not as in Hugging Face's files. */
export type ValueChange =
  /** Rows and columns are swapped: GPT-2 stores `[inputs, outputs]`, GGUF `[outputs, inputs]`. */
  | "transposed"
  /** Of each query head, the two features that rotate together are neighbours, not halves apart. */
  | "queryPairs"
  /** The same of each key head. */
  | "keyPairs"
  /** All queries, all keys, all values, where Hugging Face has the three of each head in turn. */
  | "rolesFirst"
  /** One more: Gemma's norms are stored as what is added to 1. */
  | "plusOne";

/**
 * A tensor's name in GGUF and in Hugging Face's files, both without `.weight` or `.bias`, the latter
 * without the body's prefix; `{}` stands for the number of the layer.
 */
export type TensorRow = readonly [gguf: string, huggingFace: string, change?: ValueChange];

/**
 * A key of config.json and of the metadata, the latter without the architecture's name before it.
 * Rotary settings, head sizes and the vocabulary have no rows: they are not simply the same number.
 */
export type ConfigRow = readonly [
  config: string,
  metadata: string,
  type: "uint32" | "float32" | "bool",
];

/** An architecture that llama.cpp has too. */
export interface GgufArchitecture {
  /** `model_type` of config.json. */
  readonly modelType: string;
  /** `general.architecture`. */
  readonly name: string;
  /** The class of transformers, for `architectures` of config.json. */
  readonly className: string;
  /** What stands before the body's tensor names in Hugging Face's files. */
  readonly prefix: string;
  /** Name of the head's weight in Hugging Face's files, where it has one of its own. */
  readonly head: string;
  /** The body's tensors. */
  readonly tensors: readonly TensorRow[];
  /** Numbers and switches. */
  readonly config: readonly ConfigRow[];
  /** What llama.cpp can do with it, for the writer. */
  readonly runs: GgufRuns;
}

/** What llama.cpp can do with an architecture, where models of it may ask for something else. */
export interface GgufRuns {
  /** Activation functions of config.json that it takes, all as the same one. */
  readonly activations: readonly string[];
  /** Which factors of rotary frequencies it reads: for all texts, or for short and long ones. */
  readonly frequencyFactors?: "any" | "longrope";
  /** Whether it reads how many tokens a layer attends to; otherwise it attends to all. */
  readonly slidingWindow?: true;
  /** Tensors whose bias it has no place for. */
  readonly withoutBias?: readonly string[];
  /** Tensors whose bias it does not do without. */
  readonly withBias?: readonly string[];
  /** Whether it wants a head of its own, also where that is the token embedding once more. */
  readonly ownHead?: true;
}

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
