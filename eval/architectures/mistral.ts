import type { Architecture } from "./architecture.ts";
import { readInteger } from "./config.ts";
import { llamaLike } from "./llama.ts";

/** Mistral (Jiang et al., 2023): Llama with a sliding attention window, unless it is null. */
export const mistral: Architecture = llamaLike({
  modelType: "mistral",
  models: "Mistral 7B, Mistral NeMo, Mistral Small, Zephyr 7B",
  biases: () => ({ queryKeyValue: false, output: false }),
  slidingWindow: (config) =>
    config.sliding_window === null ? undefined : readInteger(config, "sliding_window", 4096),
});
