import type { Architecture } from "./architecture.ts";
import { type ModelConfig, readBoolean, readCount, readInteger } from "./config.ts";
import { llamaLike } from "./llama.ts";

/** Qwen2 and Qwen2.5: Llama with biases of queries, keys and values. */
export const qwen2: Architecture = llamaLike({
  modelType: "qwen2",
  models: "Qwen2, Qwen2.5, DeepSeek R1 distilled into Qwen",
  biases: () => ({ queryKeyValue: true, output: false }),
  slidingWindow,
});

/** Qwen3: Llama with normalized queries and keys, and heads of a size of their own. */
export const qwen3: Architecture = llamaLike({
  modelType: "qwen3",
  models: "Qwen3 0.6B to 32B",
  headNorms: true,
  headSize: 128,
  slidingWindow,
});

function slidingWindow(config: ModelConfig, layer: number): number | undefined {
  if (!readBoolean(config, "use_sliding_window", false) || config.sliding_window === null) {
    return undefined;
  }
  const slides = Array.isArray(config.layer_types)
    ? config.layer_types[layer] === "sliding_attention"
    : layer >= readCount(config, "max_window_layers", 28);
  return slides ? readInteger(config, "sliding_window", 4096) : undefined;
}
