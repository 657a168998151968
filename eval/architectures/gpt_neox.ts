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
import type { LayerDescription, NormDescription } from "./description.ts";
import { layerNorm, linear } from "./parts.ts";
import { readRotary, readRotaryContext } from "./rotary_config.ts";

const rotaryKeys = {
  theta: "rotary_emb_base",
  share: { key: "rotary_pct", fallback: 0.25 },
} as const;

/** GPT-NeoX and Pythia (Black et al., 2022): parallel residuals, partly rotated heads. */
export const gptNeoX: Architecture = {
  modelType: "gpt_neox",
  models: "Pythia, GPT-NeoX 20B, Dolly 2",
  prefixes: ["gpt_neox.", ""],
  buffers: /^layers\.\d+\.attention\.(bias|masked_bias|rotary_emb\.inv_freq)$/,
  headWeight: "embed_out.weight",
  layerCount: "num_hidden_layers",
  tiedByDefault: false,
  describe(config, prefix) {
    const hiddenSize = readInteger(config, "hidden_size");
    const vocabularySize = readInteger(config, "vocab_size");
    const tokenEmbedding = `${prefix}embed_in.weight`;
    return {
      modelType: "gpt_neox",
      objective: "nextToken",
      vocabularySize,
      hiddenSize,
      contextLength: readRotaryContext(config, rotaryKeys),
      tokenEmbedding,
      layers: Array.from(
        { length: readInteger(config, "num_hidden_layers") },
        (_, layer) => describeLayer(config, hiddenSize, `${prefix}layers.${layer}.`),
      ),
      finalNorm: describeNorm(config, hiddenSize, `${prefix}final_layer_norm`),
      head: {
        weight: readBoolean(config, "tie_word_embeddings", false)
          ? tokenEmbedding
          : "embed_out.weight",
        inputs: hiddenSize,
        outputs: vocabularySize,
        layout: "outputsByInputs",
      },
    };
  },
};

function describeNorm(config: ModelConfig, size: number, name: string): NormDescription {
  return layerNorm(name, size, readNumber(config, "layer_norm_eps", 1e-5));
}

function describeLayer(config: ModelConfig, size: number, name: string): LayerDescription {
  const heads = readInteger(config, "num_attention_heads");
  const headSize = divideExactly(size, heads, "hidden_size by num_attention_heads");
  const inner = readInteger(config, "intermediate_size");
  const bias = readBoolean(config, "attention_bias", true);
  return {
    attentionNorm: describeNorm(config, size, `${name}input_layernorm`),
    attention: {
      heads,
      keyValueHeads: heads,
      headSize,
      scale: headSize ** -0.5,
      projection: {
        kind: "joined",
        linear: linear(`${name}attention.query_key_value`, size, 3 * size, bias),
        order: "byHead",
      },
      output: linear(`${name}attention.dense`, size, size, bias),
      rotary: readRotary(config, headSize, rotaryKeys),
    },
    feedForwardNorm: describeNorm(config, size, `${name}post_attention_layernorm`),
    feedForward: {
      activation: readChoice(config, "hidden_act", activationNames, "gelu"),
      up: linear(`${name}mlp.dense_h_to_4h`, size, inner, true),
      down: linear(`${name}mlp.dense_4h_to_h`, inner, size, true),
    },
    residual: readBoolean(config, "use_parallel_residual", true) ? "parallel" : "sequential",
  };
}
