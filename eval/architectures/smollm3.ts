import type { Architecture } from "./architecture.ts";
import { type ModelConfig, readBoolean, readInteger } from "./config.ts";
import { hasInnerBias, llamaLike } from "./llama.ts";

/** SmolLM3 (2025): Llama where some layers, every fourth by default, do without positions. */
export const smolLm3: Architecture = llamaLike({
  modelType: "smollm3",
  models: "SmolLM3 3B",
  tiedByDefault: true,
  feedForwardBias: hasInnerBias,
  rotaryKeys: { theta: "rope_theta", defaultTheta: 2e6 },
  rotates,
  slidingWindow(config, layer) {
    if (!readBoolean(config, "use_sliding_window", false) || config.sliding_window == null) {
      return undefined;
    }
    const slides = Array.isArray(config.layer_types)
      ? config.layer_types[layer] === "sliding_attention"
      : !rotates(config, layer);
    return slides ? readInteger(config, "sliding_window") : undefined;
  },
});

function rotates(config: ModelConfig, layer: number): boolean {
  if (Array.isArray(config.no_rope_layers)) return Boolean(config.no_rope_layers[layer]);
  return (layer + 1) % readInteger(config, "no_rope_layer_interval", 4) !== 0;
}
