import type { Architecture } from "./architecture.ts";
import { readInteger } from "./config.ts";
import { llamaLike } from "./llama.ts";
import { rmsNorm } from "./parts.ts";

/** OLMo 2 (2025): Llama with norms after its blocks, and of all queries and all keys of a token. */
export const olmo2: Architecture = llamaLike({
  modelType: "olmo2",
  models: "OLMo 2 1B to 32B",
  norm: (config, name, size) => rmsNorm(config, name, size, 1e-5),
  layer(layer, config, name) {
    const { attention } = layer;
    const { heads, keyValueHeads, headSize } = attention;
    const norm = (which: string, size: number) => rmsNorm(config, `${name}${which}`, size, 1e-5);
    const size = readInteger(config, "hidden_size");
    return {
      ...layer,
      residual: "outputNorm",
      attentionNorm: norm("post_attention_layernorm", size),
      attention: {
        ...attention,
        allQueriesNorm: norm("self_attn.q_norm", heads * headSize),
        allKeysNorm: norm("self_attn.k_norm", keyValueHeads * headSize),
      },
      feedForwardNorm: norm("post_feedforward_layernorm", size),
    };
  },
});
