import type { Architecture } from "./architecture.ts";
import { type ModelConfig, readInteger, readObject } from "./config.ts";
import { llamaLike } from "./llama.ts";
import { linear, rmsNorm } from "./parts.ts";

/** Phi-3, 3.5 and 4 (Abdin et al., 2024): Llama with joined projections, some with LongRoPE. */
export const phi3: Architecture = llamaLike({
  modelType: "phi3",
  models: "Phi-3 and 3.5 mini and medium, Phi-4, Phi-4 mini",
  biases: () => ({ queryKeyValue: false, output: false }),
  norm: (config, name, size) => rmsNorm(config, name, size, 1e-5),
  rotaryKeys: { theta: "rope_theta", share: { key: "partial_rotary_factor", fallback: 1 } },
  rotaryConfig,
  slidingWindow: (config) =>
    config.sliding_window == null ? undefined : readInteger(config, "sliding_window"),
  layer(layer, config, name) {
    const size = readInteger(config, "hidden_size");
    const { attention, feedForward: { activation, up, down } } = layer;
    const heads = attention.heads + 2 * attention.keyValueHeads;
    const joined = linear(`${name}self_attn.qkv_proj`, size, heads * attention.headSize, false);
    return {
      ...layer,
      attention: {
        ...attention,
        projection: { kind: "joined", linear: joined, order: "byRole" },
      },
      feedForward: {
        activation,
        up: linear(`${name}mlp.gate_up_proj`, size, 2 * up.outputs, false),
        joinedGate: true,
        down,
      },
    };
  },
});

/** The config with rotary settings under the names that others use. */
function rotaryConfig(config: ModelConfig): ModelConfig {
  const changed: Record<string, unknown> = { original_max_position_embeddings: 4096, ...config };
  for (const key of ["rope_scaling", "rope_parameters"]) {
    const parameters = readObject(config, key);
    if (parameters === undefined) continue;
    const type = parameters["rope_type"] ?? parameters["type"];
    const isOldName = type === "su" || type === "yarn";
    changed[key] = isOldName ? { ...parameters, rope_type: "longrope" } : parameters;
  }
  return changed;
}
