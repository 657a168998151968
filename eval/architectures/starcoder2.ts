import type { Architecture } from "./architecture.ts";
import { activationNames } from "./activation_names.ts";
import { type ModelConfig, readBoolean, readChoice, readInteger, readNumber } from "./config.ts";
import { llamaLike } from "./llama.ts";
import { layerNorm, linear } from "./parts.ts";

/** StarCoder2 (2024): Llama with layer norms, biases and feed-forward blocks without a gate. */
export const starCoder2: Architecture = llamaLike({
  modelType: "starcoder2",
  models: "StarCoder2 3B, 7B and 15B",
  tiedByDefault: true,
  biases(config) {
    const bias = hasBias(config);
    return { queryKeyValue: bias, output: bias };
  },
  norm: (config, name, size) => layerNorm(name, size, readNumber(config, "norm_epsilon", 1e-5)),
  slidingWindow: (config) =>
    config.sliding_window == null ? undefined : readInteger(config, "sliding_window"),
  layer(layer, config, name) {
    const { inputs, outputs } = layer.feedForward.up;
    return {
      ...layer,
      feedForward: {
        activation: readChoice(config, "hidden_act", activationNames, "gelu_pytorch_tanh"),
        up: linear(`${name}mlp.c_fc`, inputs, outputs, hasBias(config)),
        down: linear(`${name}mlp.c_proj`, outputs, inputs, hasBias(config)),
      },
    };
  },
});

function hasBias(config: ModelConfig): boolean {
  return readBoolean(config, "use_bias", true);
}
