import { activationNames } from "./activation_names.ts";
import type { Architecture } from "./architecture.ts";
import {
  divideExactly,
  type ModelConfig,
  readBoolean,
  readChoice,
  readInteger,
  requireSetting,
} from "./config.ts";
import type { LayerDescription } from "./description.ts";
import { layerNorm, linear } from "./parts.ts";

/** OPT (Zhang et al., 2022) with norms before its blocks: all sizes but 350M. */
export const opt: Architecture = {
  modelType: "opt",
  models: "OPT 125M and 1.3B to 66B",
  prefixes: ["model.decoder.", "decoder.", ""],
  buffers: /^(?!)/,
  headWeight: "lm_head.weight",
  layerCount: "num_hidden_layers",
  tiedByDefault: true,
  describe(config, prefix) {
    const hiddenSize = readInteger(config, "hidden_size");
    const vocabularySize = readInteger(config, "vocab_size");
    const tokenEmbedding = `${prefix}embed_tokens.weight`;
    requireSetting(config, "do_layer_norm_before", true);
    requireSetting(config, "_remove_final_layer_norm", false);
    requireSetting(config, "layer_norm_elementwise_affine", true);
    requireSetting(config, "word_embed_proj_dim", hiddenSize);
    return {
      modelType: "opt",
      objective: "nextToken",
      vocabularySize,
      hiddenSize,
      contextLength: readInteger(config, "max_position_embeddings"),
      tokenEmbedding,
      positionEmbedding: `${prefix}embed_positions.weight`,
      positionOffset: 2,
      layers: Array.from(
        { length: readInteger(config, "num_hidden_layers") },
        (_, layer) => describeLayer(config, hiddenSize, `${prefix}layers.${layer}.`),
      ),
      finalNorm: layerNorm(`${prefix}final_layer_norm`, hiddenSize, 1e-5),
      head: {
        ...linear("lm_head", hiddenSize, vocabularySize, false),
        ...(readBoolean(config, "tie_word_embeddings", true) && { weight: tokenEmbedding }),
      },
    };
  },
};

function describeLayer(config: ModelConfig, size: number, name: string): LayerDescription {
  const heads = readInteger(config, "num_attention_heads");
  const headSize = divideExactly(size, heads, "hidden_size by num_attention_heads");
  const inner = readInteger(config, "ffn_dim");
  const bias = readBoolean(config, "enable_bias", true);
  const project = (role: string) => linear(`${name}self_attn.${role}_proj`, size, size, bias);
  return {
    attentionNorm: layerNorm(`${name}self_attn_layer_norm`, size, 1e-5),
    attention: {
      heads,
      keyValueHeads: heads,
      headSize,
      scale: headSize ** -0.5,
      projection: {
        kind: "separate",
        query: project("q"),
        key: project("k"),
        value: project("v"),
      },
      output: project("out"),
    },
    feedForwardNorm: layerNorm(`${name}final_layer_norm`, size, 1e-5),
    feedForward: {
      activation: readChoice(config, "activation_function", activationNames, "relu"),
      up: linear(`${name}fc1`, size, inner, bias),
      down: linear(`${name}fc2`, inner, size, bias),
    },
    residual: "sequential",
  };
}
