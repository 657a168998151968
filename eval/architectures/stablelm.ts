import type { Architecture } from "./architecture.ts";
import { readBoolean, readNumber, requireSetting } from "./config.ts";
import { llamaLike } from "./llama.ts";
import { layerNorm } from "./parts.ts";

/** StableLM 2 and its like (2024): Llama with layer norms and partly rotated heads. */
export const stableLm: Architecture = llamaLike({
  modelType: "stablelm",
  models: "StableLM 2 1.6B, StableLM 3B 4E1T, StableLM Zephyr 3B, Stable Code 3B",
  biases: (config) => ({
    queryKeyValue: readBoolean(config, "use_qkv_bias", false),
    output: false,
  }),
  norm: (config, name, size) => layerNorm(name, size, readNumber(config, "layer_norm_eps", 1e-5)),
  rotaryKeys: { theta: "rope_theta", share: { key: "partial_rotary_factor", fallback: 0.25 } },
  layer(layer, config) {
    // Each head would have a norm of its own.
    requireSetting(config, "qk_layernorm", false);
    const { attentionNorm } = layer;
    return readBoolean(config, "use_parallel_residual", false)
      ? { ...layer, residual: "parallel", feedForwardNorm: attentionNorm }
      : layer;
  },
});
