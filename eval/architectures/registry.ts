import { InputError } from "../../data/input_error.ts";
import { quoteValue } from "../../data/quote.ts";
import type { Architecture } from "./architecture.ts";
import { type ModelConfig, readInteger } from "./config.ts";
import type { TransformerDescription } from "./description.ts";
import { distilBert } from "./distilbert.ts";
import { falcon } from "./falcon.ts";
import { gemma, gemma2, gemma3 } from "./gemma.ts";
import { gpt2 } from "./gpt2.ts";
import { gptNeoX } from "./gpt_neox.ts";
import { granite } from "./granite.ts";
import { llama } from "./llama.ts";
import { mistral } from "./mistral.ts";
import { olmo2 } from "./olmo2.ts";
import { opt } from "./opt.ts";
import { phi } from "./phi.ts";
import { phi3 } from "./phi3.ts";
import { qwen2, qwen3 } from "./qwen.ts";
import { seedOss } from "./seed_oss.ts";
import { smolLm3 } from "./smollm3.ts";
import { stableLm } from "./stablelm.ts";
import { starCoder2 } from "./starcoder2.ts";

/** Every architecture that can be run. */
export const architectures: readonly Architecture[] = [
  distilBert,
  falcon,
  gemma,
  gemma2,
  gemma3,
  gpt2,
  gptNeoX,
  granite,
  llama,
  mistral,
  olmo2,
  opt,
  phi,
  phi3,
  qwen2,
  qwen3,
  seedOss,
  smolLm3,
  stableLm,
  starCoder2,
];

/**
 * The architecture that a config names in `model_type`; throws {@linkcode InputError} with a list
 * of those that are supported where it is none of them.
 *
 * ```ts
 * import { architectureOf } from "@kanpress/kanpress/eval/architectures";
 * import assert from "node:assert";
 *
 * assert.equal(architectureOf({ model_type: "gpt2" }).prefixes[0], "transformer.");
 * ```
 */
export function architectureOf(config: ModelConfig): Architecture {
  const found = architectures.find(({ modelType }) => modelType === config.model_type);
  if (found !== undefined) return found;
  const supported = architectures.map(({ modelType }) => modelType).join(", ");
  const given = config.model_type === undefined ? "missing" : quoteValue(config.model_type);
  throw new InputError(`config.json: model_type is ${given}; supported are ${supported}`);
}

/** More layers than any model has; a description takes memory for each. */
const MOST_LAYERS = 10_000;

/** A layer has at least one tensor: throws where the config counts more layers than tensors. */
function checkLayerCount(
  config: ModelConfig,
  { layerCount }: Architecture,
  tensors: number,
): void {
  const layers = readInteger(config, layerCount);
  if (tensors > 0 && layers > tensors) {
    throw new InputError(
      `config.json: ${layerCount} is ${layers}, but the weights have only ${tensors} tensors; ` +
        "check that weights and config.json belong together",
    );
  }
  if (layers <= MOST_LAYERS) return;
  throw new InputError(
    `config.json: ${layerCount} is ${layers}, where at most ${MOST_LAYERS} layers are supported`,
  );
}

/**
 * Reads a config into the description that the forward pass runs. The names follow those of the
 * checkpoint, which may or may not carry the architecture's prefix; `names` are those of all its
 * tensors, or none if there is no checkpoint. A head among them is the model's head, also where
 * `tie_word_embeddings` ties it to the embedding: `readStateDict` leaves a head out that is the
 * embedding once more. Throws {@linkcode InputError} if the config is incomplete, contradicts itself, counts more layers than tensors or asks for something unsupported.
 *
 * ```ts
 * import { describeModel } from "@kanpress/kanpress/eval/architectures";
 * import assert from "node:assert";
 *
 * const config = { model_type: "gpt2", n_embd: 8, n_head: 2, n_layer: 1, n_positions: 16 };
 * const model = describeModel({ ...config, vocab_size: 10 }, ["wte.weight"]);
 * assert.equal(model.layers[0]!.feedForward.up.weight, "h.0.mlp.c_fc.weight");
 * ```
 */
export function describeModel(
  config: ModelConfig,
  names: Iterable<string>,
): TransformerDescription {
  const architecture = architectureOf(config);
  const present = new Set(names);
  checkLayerCount(config, architecture, present.size);
  const ownHead = present.has(architecture.headWeight);
  const settings = ownHead ? { ...config, tie_word_embeddings: false } : config;
  const usual = architecture.describe(settings, architecture.prefixes[0] ?? "");
  for (const prefix of architecture.prefixes) {
    const description = architecture.describe(settings, prefix);
    if (present.has(description.tokenEmbedding)) return description;
  }
  return usual;
}

/**
 * Whether a tensor of a checkpoint may hold nothing that the model needs: attention masks, rotary
 * frequencies, or a tied head, which usually is a copy of the embedding.
 *
 * ```ts
 * import { isIgnorableTensor } from "@kanpress/kanpress/eval/architectures";
 * import assert from "node:assert";
 *
 * assert.ok(isIgnorableTensor({ model_type: "gpt2" }, "h.0.attn.bias"));
 * assert.ok(!isIgnorableTensor({ model_type: "gpt2" }, "h.0.attn.c_attn.bias"));
 * ```
 */
export function isIgnorableTensor(config: ModelConfig, name: string): boolean {
  const { prefixes, buffers, tiedByDefault, headWeight } = architectureOf(config);
  const body = prefixes.find((prefix) => prefix !== "" && name.startsWith(prefix)) ?? "";
  if (buffers.test(name.slice(body.length))) return true;
  return name === headWeight && (config.tie_word_embeddings ?? tiedByDefault) === true;
}
