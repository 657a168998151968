import type { Architecture } from "./architecture.ts";
import { readBoolean } from "./config.ts";
import { hasInnerBias, llamaLike } from "./llama.ts";

/** Seed-OSS (2025): Llama with biases of queries, keys and values. */
export const seedOss: Architecture = llamaLike({
  modelType: "seed_oss",
  models: "Seed-OSS 36B",
  headSize: 128,
  biases: (config) => ({
    queryKeyValue: readBoolean(config, "attention_bias", true),
    output: readBoolean(config, "attention_out_bias", false),
  }),
  feedForwardBias: hasInnerBias,
});
