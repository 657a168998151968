import { activationNames } from "./activation_names.ts";
import type { Architecture } from "./architecture.ts";
import { type ModelConfig, readChoice, readInteger, readNumber, requireSetting } from "./config.ts";
import { llamaLike } from "./llama.ts";
import { layerNorm, linear } from "./parts.ts";

/** Phi-1, 1.5 and 2 (2023): Llama with biases, one norm a layer and no gates. */
export const phi: Architecture = llamaLike({
  modelType: "phi",
  models: "Phi-1, Phi-1.5, Phi-2",
  biases: () => ({ queryKeyValue: true, output: true }),
  norm: describeNorm,
  rotaryKeys: { theta: "rope_theta", share: { key: "partial_rotary_factor", fallback: 0.5 } },
  layer(layer, config, name) {
    requireSetting(config, "qk_layernorm", false);
    const { attention, attentionNorm, feedForward: { up: { inputs, outputs } } } = layer;
    const joined = attention.heads * attention.headSize;
    return {
      attentionNorm,
      attention: { ...attention, output: linear(`${name}self_attn.dense`, joined, inputs, true) },
      feedForwardNorm: attentionNorm,
      feedForward: {
        activation: readChoice(config, "hidden_act", activationNames, "gelu_new"),
        up: linear(`${name}mlp.fc1`, inputs, outputs, true),
        down: linear(`${name}mlp.fc2`, outputs, inputs, true),
      },
      residual: "parallel",
    };
  },
  model: (model, config, prefix) => ({
    ...model,
    finalNorm: describeNorm(config, `${prefix}final_layernorm`, readInteger(config, "hidden_size")),
    head: { ...model.head, bias: "lm_head.bias" },
  }),
});

function describeNorm(config: ModelConfig, name: string, size: number) {
  return layerNorm(name, size, readNumber(config, "layer_norm_eps", 1e-5));
}
