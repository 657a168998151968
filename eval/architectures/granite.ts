import type { Architecture } from "./architecture.ts";
import { readNumber } from "./config.ts";
import { hasInnerBias, llamaLike } from "./llama.ts";

/** Granite 3 (2024): Llama with factors of embedding, attention scores, blocks and logits. */
export const granite: Architecture = llamaLike({
  modelType: "granite",
  models: "Granite 3.0 to 3.3 (2B and 8B)",
  feedForwardBias: hasInnerBias,
  layer: (layer, config) => ({
    ...layer,
    attention: { ...layer.attention, scale: readNumber(config, "attention_multiplier", 1) },
    residualScale: readNumber(config, "residual_multiplier", 1),
  }),
  model: (model, config) => ({
    ...model,
    embeddingScale: readNumber(config, "embedding_multiplier", 1),
    logitScale: 1 / readNumber(config, "logits_scaling", 1),
  }),
});
