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
import type { AttentionDescription, LayerDescription } from "./description.ts";
import { layerNorm, linear } from "./parts.ts";
import { readRotary, readRotaryContext } from "./rotary_config.ts";

/** Falcon (Almazrouei et al., 2023) with rotary positions: 7B, 40B and their like. */
export const falcon: Architecture = {
  modelType: "falcon",
  models: "Falcon 7B, 40B and 180B, Falcon 2",
  prefixes: ["transformer.", ""],
  buffers: /^h\.\d+\.self_attention\.(maybe_)?rotary(_emb)?\.inv_freq$/,
  headWeight: "lm_head.weight",
  layerCount: "num_hidden_layers",
  tiedByDefault: true,
  describe(config, prefix) {
    const hiddenSize = readInteger(config, "hidden_size");
    const vocabularySize = readInteger(config, "vocab_size");
    const tokenEmbedding = `${prefix}word_embeddings.weight`;
    requireSetting(config, "alibi", false);
    const settings = { ...config, max_position_embeddings: contextLengthOf(config) };
    return {
      modelType: "falcon",
      objective: "nextToken",
      vocabularySize,
      hiddenSize,
      contextLength: readRotaryContext(settings),
      tokenEmbedding,
      layers: Array.from(
        { length: readInteger(config, "num_hidden_layers") },
        (_, layer) => describeLayer(settings, hiddenSize, `${prefix}h.${layer}.`),
      ),
      finalNorm: layerNorm(`${prefix}ln_f`, hiddenSize, epsilonOf(config)),
      head: {
        ...linear("lm_head", hiddenSize, vocabularySize, false),
        ...(readBoolean(config, "tie_word_embeddings", true) && { weight: tokenEmbedding }),
      },
    };
  },
};

function contextLengthOf(config: ModelConfig): number {
  return readInteger(config, "max_position_embeddings", 2048);
}

function epsilonOf(config: ModelConfig): number {
  return readNumber(config, "layer_norm_epsilon", 1e-5);
}

/** Falcon's two ways: with grouped keys (40B) and before, with one key (7B) or as many as queries. */
function isNew(config: ModelConfig): boolean {
  return readBoolean(config, "new_decoder_architecture", false);
}

function describeLayer(config: ModelConfig, size: number, name: string): LayerDescription {
  const inner = readInteger(config, "ffn_hidden_size", 4 * size);
  const bias = readBoolean(config, "bias", false);
  const isParallel = isNew(config) || readBoolean(config, "parallel_attn", true);
  const hasTwoNorms = isNew(config) && readInteger(config, "num_ln_in_parallel_attn", 2) === 2;
  const norm = (which: string) => layerNorm(`${name}${which}`, size, epsilonOf(config));
  return {
    attentionNorm: norm(hasTwoNorms ? "ln_attn" : "input_layernorm"),
    attention: describeAttention(config, size, `${name}self_attention.`),
    feedForwardNorm: hasTwoNorms
      ? norm("ln_mlp")
      : norm(isParallel ? "input_layernorm" : "post_attention_layernorm"),
    feedForward: {
      activation: readChoice(config, "activation", activationNames, "gelu"),
      up: linear(`${name}mlp.dense_h_to_4h`, size, inner, bias),
      down: linear(`${name}mlp.dense_4h_to_h`, inner, size, bias),
    },
    residual: isParallel ? "parallel" : "sequential",
  };
}

function describeAttention(config: ModelConfig, size: number, name: string): AttentionDescription {
  const heads = readInteger(config, "num_attention_heads");
  const headSize = divideExactly(size, heads, "hidden_size by num_attention_heads");
  const hasOneKey = !isNew(config) && readBoolean(config, "multi_query", true);
  const given = isNew(config) ? readInteger(config, "num_kv_heads", heads) : heads;
  const keyValueHeads = hasOneKey ? 1 : given;
  divideExactly(heads, keyValueHeads, "num_attention_heads by num_kv_heads");
  const bias = readBoolean(config, "bias", false);
  const joined = (heads + 2 * keyValueHeads) * headSize;
  return {
    heads,
    keyValueHeads,
    headSize,
    scale: headSize ** -0.5,
    projection: {
      kind: "joined",
      linear: linear(`${name}query_key_value`, size, joined, bias),
      // With one key both are the same; where there are more, each stands beside its queries.
      order: hasOneKey ? "byRole" : "byHead",
    },
    output: linear(`${name}dense`, size, size, bias),
    rotary: readRotary(config, headSize),
  };
}
