import { activationNames } from "./activation_names.ts";
import type { Architecture } from "./architecture.ts";
import {
  type ModelConfig,
  readChoice,
  readInteger,
  readNumber,
  readObject,
  requireSetting,
} from "./config.ts";
import type { LayerDescription, TransformerDescription } from "./description.ts";
import { llamaLike, type LlamaVariant } from "./llama.ts";
import { rmsNorm } from "./parts.ts";

/** What all Gemmas have in common: scales stored less 1, heads of 256, a tied head. */
const common = {
  norm: (config, name, size) => ({ ...rmsNorm(config, name, size, 1e-6), weightOffset: 1 }),
  headSize: 256,
  tiedByDefault: true,
  activation: (config) => readChoice(config, "hidden_activation", activationNames, tanhGelu),
} satisfies Partial<LlamaVariant>;

const tanhGelu = "gelu_pytorch_tanh";

/** Gemma (2024): Llama with a scaled embedding. */
export const gemma: Architecture = llamaLike({
  ...common,
  modelType: "gemma",
  models: "Gemma 2B and 7B, CodeGemma",
  activation(config) {
    // Early configs say "gelu" and mean the other.
    const name = readChoice(config, "hidden_act", activationNames, tanhGelu);
    return name === "gelu" ? tanhGelu : name;
  },
  model: (model, config) => describeOuter(model, config),
});

/** Gemma 2: sliding windows in every other layer, norms around blocks, soft caps. */
export const gemma2: Architecture = llamaLike({
  ...common,
  modelType: "gemma2",
  models: "Gemma 2 2B, 9B and 27B",
  slidingWindow: (config, layer) => slidingWindow(config, layer, 2),
  layer(layer, config, name) {
    const { attention, ...rest } = describeLayer(layer, config, name);
    const softCap = readCap(config, "attn_logit_softcapping", 50);
    return { ...rest, attention: { ...attention, ...(softCap !== undefined && { softCap }) } };
  },
  model: (model, config) =>
    describeOuter(model, config, readCap(config, "final_logit_softcapping", 30)),
});

/** The text model of Gemma 3: mostly sliding windows, with rotary positions of their own. */
export const gemma3: Architecture = llamaLike({
  ...common,
  modelType: "gemma3_text",
  models: "Gemma 3 270M and 1B, the language models of larger ones",
  headNorms: true,
  slidingWindow: (config, layer) => slidingWindow(config, layer, patternOf3(config)),
  rotaryConfig,
  layer: describeLayer,
  model: (model, config) =>
    describeOuter(model, config, readCap(config, "final_logit_softcapping", null)),
});

function describeOuter(
  model: TransformerDescription,
  config: ModelConfig,
  logitSoftCap?: number,
): TransformerDescription {
  requireSetting(config, "use_bidirectional_attention", false);
  const embeddingScale = Math.sqrt(model.hiddenSize);
  return { ...model, embeddingScale, ...(logitSoftCap !== undefined && { logitSoftCap }) };
}

/** The cap that a config asks for; `null` is none. */
function readCap(config: ModelConfig, key: string, fallback: number | null): number | undefined {
  const value = config[key] === undefined ? fallback : config[key];
  return value === null ? undefined : readNumber({ [key]: value }, key);
}

/** Llama's layer with norms after the blocks too, and another scale of the scores. */
function describeLayer(
  layer: LayerDescription,
  config: ModelConfig,
  name: string,
): LayerDescription {
  const norm = (which: string) =>
    common.norm(config, `${name}${which}_layernorm`, readInteger(config, "hidden_size"));
  const scale = readNumber(config, "query_pre_attn_scalar", 256) ** -0.5;
  return {
    ...layer,
    attention: { ...layer.attention, scale },
    attentionOutputNorm: norm("post_attention"),
    feedForwardNorm: norm("pre_feedforward"),
    feedForwardOutputNorm: norm("post_feedforward"),
  };
}

/** Where the config lists no types, every `period`th layer attends to all tokens. */
function slides(config: ModelConfig, layer: number, period: number): boolean {
  return Array.isArray(config.layer_types)
    ? config.layer_types[layer] === "sliding_attention"
    : (layer + 1) % period !== 0;
}

function slidingWindow(config: ModelConfig, layer: number, period: number): number | undefined {
  if (config.sliding_window === null || !slides(config, layer, period)) return undefined;
  return readInteger(config, "sliding_window", 4096);
}

function patternOf3(config: ModelConfig): number {
  return readInteger(config, "sliding_window_pattern", 6);
}

/**
 * The config with Gemma 3's rotary settings of a layer: transformers 5 keeps them by type of layer,
 * older versions beside each other, where a scaling is that of the layers without a window.
 */
function rotaryConfig(config: ModelConfig, layer?: number): ModelConfig {
  const { rope_parameters: _, rope_scaling: scaling, ...rest } = config;
  const byType = readObject(config, "rope_parameters") ?? {};
  const parameters = layer !== undefined && slides(config, layer, patternOf3(config))
    ? {
      rope_theta: config.rope_local_base_freq ?? 1e4,
      ...readObject(byType, "sliding_attention"),
    }
    : {
      rope_theta: config.rope_theta ?? 1e6,
      ...readObject(byType, "full_attention"),
      ...readObject({ rope_scaling: scaling }, "rope_scaling"),
    };
  return { ...rest, rope_parameters: parameters };
}
