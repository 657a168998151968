import { activationNames } from "./activation_names.ts";
import type { Architecture } from "./architecture.ts";
import {
  divideExactly,
  type ModelConfig,
  readBoolean,
  readChoice,
  readInteger,
  readNumber,
  requireSetting,
} from "./config.ts";
import type { LayerDescription, LinearDescription, NormDescription } from "./description.ts";
import { layerNorm } from "./parts.ts";

/** GPT-2 and DistilGPT-2 (Radford et al., 2019). */
export const gpt2: Architecture = {
  modelType: "gpt2",
  models: "GPT-2, DistilGPT-2",
  prefixes: ["transformer.", ""],
  buffers: /^h\.\d+\.attn\.(bias|masked_bias)$/,
  headWeight: "lm_head.weight",
  layerCount: "n_layer",
  tiedByDefault: true,
  describe(config, prefix) {
    const hiddenSize = readInteger(config, "n_embd");
    const vocabularySize = readInteger(config, "vocab_size");
    const tokenEmbedding = `${prefix}wte.weight`;
    requireSetting(config, "add_cross_attention", false);
    return {
      modelType: "gpt2",
      objective: "nextToken",
      vocabularySize,
      hiddenSize,
      contextLength: readInteger(config, "n_positions"),
      tokenEmbedding,
      positionEmbedding: `${prefix}wpe.weight`,
      layers: Array.from(
        { length: readInteger(config, "n_layer") },
        (_, index) => describeLayer(config, hiddenSize, `${prefix}h.${index}.`, index),
      ),
      finalNorm: describeNorm(config, hiddenSize, `${prefix}ln_f`),
      head: {
        weight: readBoolean(config, "tie_word_embeddings", true)
          ? tokenEmbedding
          : "lm_head.weight",
        inputs: hiddenSize,
        outputs: vocabularySize,
        layout: "outputsByInputs",
      },
    };
  },
};

function describeNorm(config: ModelConfig, size: number, name: string): NormDescription {
  return layerNorm(name, size, readNumber(config, "layer_norm_epsilon", 1e-5));
}

function conv1D(name: string, inputs: number, outputs: number): LinearDescription {
  const [weight, bias] = [`${name}.weight`, `${name}.bias`];
  return { weight, bias, inputs, outputs, layout: "inputsByOutputs" };
}

function describeLayer(
  config: ModelConfig,
  size: number,
  name: string,
  index: number,
): LayerDescription {
  const heads = readInteger(config, "n_head");
  const headSize = divideExactly(size, heads, "n_embd by n_head");
  const inner = readInteger(config, "n_inner", 4 * size);
  let scale = readBoolean(config, "scale_attn_weights", true) ? headSize ** -0.5 : 1;
  if (readBoolean(config, "scale_attn_by_inverse_layer_idx", false)) scale /= index + 1;
  return {
    attentionNorm: describeNorm(config, size, `${name}ln_1`),
    attention: {
      heads,
      keyValueHeads: heads,
      headSize,
      scale,
      projection: {
        kind: "joined",
        linear: conv1D(`${name}attn.c_attn`, size, 3 * size),
        order: "byRole",
      },
      output: conv1D(`${name}attn.c_proj`, size, size),
    },
    feedForwardNorm: describeNorm(config, size, `${name}ln_2`),
    feedForward: {
      activation: readChoice(config, "activation_function", activationNames, "gelu_new"),
      up: conv1D(`${name}mlp.c_fc`, size, inner),
      down: conv1D(`${name}mlp.c_proj`, inner, size),
    },
    residual: "sequential",
  };
}
