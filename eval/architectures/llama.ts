import type { ActivationName } from "./activation_names.ts";
import { activationNames } from "./activation_names.ts";
import type { Architecture } from "./architecture.ts";
import { divideExactly, type ModelConfig, readBoolean, readChoice, readInteger } from "./config.ts";
import type { LayerDescription, NormDescription, TransformerDescription } from "./description.ts";
import { linear, rmsNorm } from "./parts.ts";
import { readRotary, readRotaryContext, type RotaryKeys } from "./rotary_config.ts";

/** In what the relatives of Llama differ. */
export interface LlamaVariant {
  /** `model_type` of the config. */
  readonly modelType: string;
  /** As in {@linkcode Architecture.models}. */
  readonly models: string;
  /** Whether query, key and value (and the attention's output) have biases; as Llama's if omitted. */
  readonly biases?: (config: ModelConfig) => { queryKeyValue: boolean; output: boolean };
  /** Whether the feed-forward block has biases; it has none if omitted. */
  readonly feedForwardBias?: (config: ModelConfig) => boolean;
  /** Whether each head's queries and keys are normalized. */
  readonly headNorms?: boolean;
  /** Size of a head where the config does not say it. */
  readonly headSize?: number;
  /** Whether the head is tied to the embedding where the config does not say it; false if omitted. */
  readonly tiedByDefault?: boolean;
  /** How many tokens a layer attends to; `undefined`: all. */
  readonly slidingWindow?: (config: ModelConfig, layer: number) => number | undefined;
  /** A normalization; root-mean-square with a default epsilon of 1e-6 if omitted. */
  readonly norm?: (config: ModelConfig, name: string, size: number) => NormDescription;
  /** The activation function; `hidden_act` if omitted. */
  readonly activation?: (config: ModelConfig) => ActivationName;
  /** Whether a layer rotates queries and keys; all do if omitted. */
  readonly rotates?: (config: ModelConfig, layer: number) => boolean;
  /** Where rotary settings are; as in Llama's config if omitted. */
  readonly rotaryKeys?: RotaryKeys;
  /** The config with the rotary settings of a layer, or of the model where no layer is given. */
  readonly rotaryConfig?: (config: ModelConfig, layer?: number) => ModelConfig;
  /** Changes what Llama's layer would be; `name` is what the names of its tensors begin with. */
  readonly layer?: (
    layer: LayerDescription,
    config: ModelConfig,
    name: string,
  ) => LayerDescription;
  /** Changes what is beside the layers; `prefix` is what the names of the body's tensors begin with. */
  readonly model?: (
    model: TransformerDescription,
    config: ModelConfig,
    prefix: string,
  ) => TransformerDescription;
}

/** An architecture of Llama's kind: RMSNorm, rotary positions, gated feed-forward blocks. */
export function llamaLike(variant: LlamaVariant): Architecture {
  return {
    modelType: variant.modelType,
    models: variant.models,
    prefixes: ["model.", ""],
    buffers: /^layers\.\d+\.self_attn\.rotary_emb\.inv_freq$|^rotary_emb\.inv_freq$/,
    headWeight: "lm_head.weight",
    layerCount: "num_hidden_layers",
    tiedByDefault: variant.tiedByDefault ?? false,
    describe: (config, prefix) => describe(variant, config, prefix),
  };
}

/** Llama 1 to 3.x, SmolLM and others that say `llama` (Touvron et al., 2023). */
export const llama: Architecture = llamaLike({
  modelType: "llama",
  models: "Llama 1 to 3.3, TinyLlama, SmolLM, SmolLM2, DeepSeek R1 distilled into Llama, Yi",
  feedForwardBias: hasInnerBias,
});

/** Whether a config asks for biases in the feed-forward block, as Llama's do. */
export function hasInnerBias(config: ModelConfig): boolean {
  return readBoolean(config, "mlp_bias", false);
}

function describe(
  variant: LlamaVariant,
  config: ModelConfig,
  prefix: string,
): TransformerDescription {
  const hiddenSize = readInteger(config, "hidden_size");
  const vocabularySize = readInteger(config, "vocab_size");
  const tokenEmbedding = `${prefix}embed_tokens.weight`;
  const tied = readBoolean(config, "tie_word_embeddings", variant.tiedByDefault ?? false);
  const described: TransformerDescription = {
    modelType: variant.modelType,
    objective: "nextToken",
    vocabularySize,
    hiddenSize,
    contextLength: readRotaryContext(variant.rotaryConfig?.(config) ?? config, variant.rotaryKeys),
    tokenEmbedding,
    layers: Array.from({ length: readInteger(config, "num_hidden_layers") }, (_, layer) => {
      const name = `${prefix}layers.${layer}.`;
      const described = describeLayer(variant, config, name, layer);
      return variant.layer?.(described, config, name) ?? described;
    }),
    finalNorm: describeNorm(variant, config, `${prefix}norm`, hiddenSize),
    head: {
      ...linear("lm_head", hiddenSize, vocabularySize, false),
      ...(tied && { weight: tokenEmbedding }),
    },
  };
  return variant.model?.(described, config, prefix) ?? described;
}

function describeNorm(
  { norm }: LlamaVariant,
  config: ModelConfig,
  name: string,
  size: number,
): NormDescription {
  return norm?.(config, name, size) ?? rmsNorm(config, name, size, 1e-6);
}

function biasesOf({ biases }: LlamaVariant, config: ModelConfig) {
  const bias = () => readBoolean(config, "attention_bias", false);
  return biases?.(config) ?? { queryKeyValue: bias(), output: bias() };
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
  const bias = biasesOf(variant, config);
  const innerBias = variant.feedForwardBias?.(config) ?? false;
  const attention = `${name}self_attn.`;
  const project = (role: string, outputs: number) =>
    linear(`${attention}${role}_proj`, size, outputs, bias.queryKeyValue);
  const norm = (name: string, size: number) => describeNorm(variant, config, name, size);
  const rotaryConfig = variant.rotaryConfig?.(config, layer) ?? config;
  const rotates = variant.rotates?.(config, layer) ?? true;
  const window = variant.slidingWindow?.(config, layer);
  return {
    attentionNorm: norm(`${name}input_layernorm`, size),
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
      output: linear(`${attention}o_proj`, heads * headSize, size, bias.output),
      ...(rotates && { rotary: readRotary(rotaryConfig, headSize, variant.rotaryKeys) }),
      ...(variant.headNorms && {
        queryNorm: norm(`${attention}q_norm`, headSize),
        keyNorm: norm(`${attention}k_norm`, headSize),
      }),
      ...(window !== undefined && { slidingWindow: window }),
    },
    feedForwardNorm: norm(`${name}post_attention_layernorm`, size),
    feedForward: {
      activation: variant.activation?.(config) ??
        readChoice(config, "hidden_act", activationNames, "silu"),
      up: linear(`${name}mlp.up_proj`, size, inner, innerBias),
      gate: linear(`${name}mlp.gate_proj`, size, inner, innerBias),
      down: linear(`${name}mlp.down_proj`, inner, size, innerBias),
    },
    residual: "sequential",
  };
}
