import { activationNames } from "./activation_names.ts";
import type { Architecture } from "./architecture.ts";
import {
  divideExactly,
  type ModelConfig,
  readBoolean,
  readChoice,
  readInteger,
  readNumber,
} from "./config.ts";
import type {
  LayerDescription,
  LinearDescription,
  NormDescription,
  TransformerDescription,
} from "./description.ts";
import { readRotary, readRotaryContext } from "./rotary_config.ts";

/** In what the relatives of Llama differ. */
export interface LlamaVariant {
  /** `model_type` of the config. */
  readonly modelType: string;
  /** Whether query, key and value (and the attention's output) have biases. */
  readonly biases: (config: ModelConfig) => { queryKeyValue: boolean; output: boolean };
  /** Whether the feed-forward block has biases. */
  readonly feedForwardBias?: (config: ModelConfig) => boolean;
  /** Whether each head's queries and keys are normalized. */
  readonly headNorms?: boolean;
  /** Size of a head where the config does not say it. */
  readonly headSize?: number;
  /** How many tokens a layer attends to; `undefined`: all. */
  readonly slidingWindow?: (config: ModelConfig, layer: number) => number | undefined;
}

/** An architecture of Llama's kind: RMSNorm, rotary positions, gated feed-forward blocks. */
export function llamaLike(variant: LlamaVariant): Architecture {
  return {
    modelType: variant.modelType,
    prefixes: ["model.", ""],
    buffers: /^layers\.\d+\.self_attn\.rotary_emb\.inv_freq$|^rotary_emb\.inv_freq$/,
    headWeight: "lm_head.weight",
    layerCount: "num_hidden_layers",
    tiedByDefault: false,
    describe: (config, prefix) => describe(variant, config, prefix),
  };
}

/** Llama 1 to 3.x, SmolLM and others that say `llama` (Touvron et al., 2023). */
export const llama: Architecture = llamaLike({
  modelType: "llama",
  biases(config) {
    const bias = readBoolean(config, "attention_bias", false);
    return { queryKeyValue: bias, output: bias };
  },
  feedForwardBias: (config) => readBoolean(config, "mlp_bias", false),
});

function describe(
  variant: LlamaVariant,
  config: ModelConfig,
  prefix: string,
): TransformerDescription {
  const hiddenSize = readInteger(config, "hidden_size");
  const vocabularySize = readInteger(config, "vocab_size");
  const tokenEmbedding = `${prefix}embed_tokens.weight`;
  const tied = readBoolean(config, "tie_word_embeddings", false);
  return {
    modelType: variant.modelType,
    objective: "nextToken",
    vocabularySize,
    hiddenSize,
    contextLength: readRotaryContext(config),
    tokenEmbedding,
    layers: Array.from(
      { length: readInteger(config, "num_hidden_layers") },
      (_, layer) => describeLayer(variant, config, `${prefix}layers.${layer}.`, layer),
    ),
    finalNorm: rmsNorm(config, hiddenSize, `${prefix}norm`),
    head: linear(tied ? tokenEmbedding : "lm_head.weight", hiddenSize, vocabularySize),
  };
}

function rmsNorm(config: ModelConfig, size: number, name: string): NormDescription {
  const epsilon = readNumber(config, "rms_norm_eps", 1e-6);
  return { kind: "rmsNorm", weight: `${name}.weight`, size, epsilon };
}

function linear(weight: string, inputs: number, outputs: number, bias = false): LinearDescription {
  const description = { weight, inputs, outputs, layout: "outputsByInputs" } as const;
  return bias ? { ...description, bias: weight.replace(/weight$/, "bias") } : description;
}

function describeLayer(
  variant: LlamaVariant,
  config: ModelConfig,
  name: string,
  layer: number,
): LayerDescription {
  const size = readInteger(config, "hidden_size");
  const inner = readInteger(config, "intermediate_size");
  const heads = readInteger(config, "num_attention_heads");
  const keyValueHeads = readInteger(config, "num_key_value_heads", heads);
  divideExactly(heads, keyValueHeads, "num_attention_heads by num_key_value_heads");
  const headSize = config.head_dim == null && variant.headSize === undefined
    ? divideExactly(size, heads, "hidden_size by num_attention_heads")
    : readInteger(config, "head_dim", variant.headSize);
  const bias = variant.biases(config);
  const innerBias = variant.feedForwardBias?.(config) ?? false;
  const attention = `${name}self_attn.`;
  const project = (role: string, outputs: number) =>
    linear(`${attention}${role}_proj.weight`, size, outputs, bias.queryKeyValue);
  const window = variant.slidingWindow?.(config, layer);
  return {
    attentionNorm: rmsNorm(config, size, `${name}input_layernorm`),
    attention: {
      heads,
      keyValueHeads,
      headSize,
      scale: headSize ** -0.5,
      projection: {
        kind: "separate",
        query: project("q", heads * headSize),
        key: project("k", keyValueHeads * headSize),
        value: project("v", keyValueHeads * headSize),
      },
      output: linear(`${attention}o_proj.weight`, heads * headSize, size, bias.output),
      rotary: readRotary(config, headSize),
      ...(variant.headNorms && {
        queryNorm: rmsNorm(config, headSize, `${attention}q_norm`),
        keyNorm: rmsNorm(config, headSize, `${attention}k_norm`),
      }),
      ...(window !== undefined && { slidingWindow: window }),
    },
    feedForwardNorm: rmsNorm(config, size, `${name}post_attention_layernorm`),
    feedForward: {
      activation: readChoice(config, "hidden_act", activationNames, "silu"),
      up: linear(`${name}mlp.up_proj.weight`, size, inner, innerBias),
      gate: linear(`${name}mlp.gate_proj.weight`, size, inner, innerBias),
      down: linear(`${name}mlp.down_proj.weight`, inner, size, innerBias),
    },
    residual: "sequential",
  };
}
