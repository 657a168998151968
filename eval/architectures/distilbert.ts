import { InputError } from "../../data/input_error.ts";
import { quoteValue } from "../../data/quote.ts";
import { activationNames } from "./activation_names.ts";
import type { Architecture } from "./architecture.ts";
import {
  divideExactly,
  type ModelConfig,
  readBoolean,
  readChoice,
  readInteger,
  readObject,
} from "./config.ts";
import type { LayerDescription, TransformerDescription } from "./description.ts";
import { layerNorm, linear } from "./parts.ts";

/** DistilBERT (Sanh et al., 2019) with the head that predicts masked tokens, or a classifier. */
export const distilBert: Architecture = {
  modelType: "distilbert",
  models: "DistilBERT that predicts masked tokens or classes of texts",
  prefixes: ["distilbert.", ""],
  buffers: /^embeddings\.position_ids$/,
  headWeight: "vocab_projector.weight",
  layerCount: "n_layers",
  tiedByDefault: true,
  describe(config, prefix) {
    const hiddenSize = readInteger(config, "dim");
    const tokenEmbedding = `${prefix}embeddings.word_embeddings.weight`;
    return {
      modelType: "distilbert",
      vocabularySize: readInteger(config, "vocab_size"),
      hiddenSize,
      contextLength: readInteger(config, "max_position_embeddings"),
      tokenEmbedding,
      positionEmbedding: `${prefix}embeddings.position_embeddings.weight`,
      embeddingNorm: layerNorm(`${prefix}embeddings.LayerNorm`, hiddenSize, 1e-12),
      layers: Array.from(
        { length: readInteger(config, "n_layers") },
        (_, layer) => describeLayer(config, hiddenSize, `${prefix}transformer.layer.${layer}.`),
      ),
      ...describeHead(config, hiddenSize, tokenEmbedding),
    };
  },
};

const heads = {
  DistilBertForMaskedLM: describeMaskedHead,
  DistilBertForSequenceClassification: describeClassifier,
};

type HeadDescription = Pick<TransformerDescription, "objective" | "headTransform" | "head">;

function describeHead(config: ModelConfig, size: number, tokenEmbedding: string): HeadDescription {
  const named = Array.isArray(config.architectures) ? config.architectures[0] : undefined;
  const found = Object.entries(heads).find(([name]) => name === named);
  if (found !== undefined) return found[1](config, size, tokenEmbedding);
  throw new InputError(
    `config.json: architectures must name one of ${Object.keys(heads).join(", ")}, found ` +
      `${quoteValue(config.architectures ?? null)}`,
  );
}

function describeMaskedHead(
  config: ModelConfig,
  size: number,
  tokenEmbedding: string,
): HeadDescription {
  const tied = readBoolean(config, "tie_word_embeddings", true);
  return {
    objective: "maskedToken",
    headTransform: {
      linear: linear("vocab_transform", size, size, true),
      activation: readChoice(config, "activation", activationNames, "gelu"),
      norm: layerNorm("vocab_layer_norm", size, 1e-12),
    },
    head: {
      ...linear("vocab_projector", size, readInteger(config, "vocab_size"), true),
      ...(tied && { weight: tokenEmbedding }),
    },
  };
}

function describeClassifier(config: ModelConfig, size: number): HeadDescription {
  const labels = readObject(config, "id2label");
  const classes = readInteger(config, "num_labels", Object.keys(labels ?? { 0: "", 1: "" }).length);
  return {
    objective: "classification",
    headTransform: { linear: linear("pre_classifier", size, size, true), activation: "relu" },
    head: linear("classifier", size, classes, true),
  };
}

function describeLayer(config: ModelConfig, size: number, name: string): LayerDescription {
  const count = readInteger(config, "n_heads");
  const headSize = divideExactly(size, count, "dim by n_heads");
  const inner = readInteger(config, "hidden_dim");
  return {
    attentionNorm: layerNorm(`${name}sa_layer_norm`, size, 1e-12),
    attention: {
      heads: count,
      keyValueHeads: count,
      headSize,
      scale: headSize ** -0.5,
      projection: {
        kind: "separate",
        query: linear(`${name}attention.q_lin`, size, size, true),
        key: linear(`${name}attention.k_lin`, size, size, true),
        value: linear(`${name}attention.v_lin`, size, size, true),
      },
      output: linear(`${name}attention.out_lin`, size, size, true),
    },
    feedForwardNorm: layerNorm(`${name}output_layer_norm`, size, 1e-12),
    feedForward: {
      activation: readChoice(config, "activation", activationNames, "gelu"),
      up: linear(`${name}ffn.lin1`, size, inner, true),
      down: linear(`${name}ffn.lin2`, inner, size, true),
    },
    residual: "postNorm",
  };
}
