import { InputError } from "../input_error.ts";
import { quote } from "../quote.ts";
import type { GgufArchitecture } from "./architecture.ts";
import { ggufArchitectures } from "./architectures.ts";
import type { MetadataReader } from "./metadata_value.ts";
import { rotaryConfig, type RotaryTensors } from "./rotary_from_metadata.ts";
import { shortest } from "./shortest.ts";

/** The tensors of a GGUF file by name, as far as a config depends on them. */
export interface ConfigTensors extends RotaryTensors {
  /** Sizes of the axes by the tensors' names in the file. */
  readonly shapes: ReadonlyMap<string, readonly number[]>;
}

/**
 * The architecture that a GGUF file names. Throws {@linkcode InputError} with a list of those that
 * are supported where it is none of them, and for mixtures of experts.
 */
export function ggufArchitectureOf(metadata: MetadataReader): GgufArchitecture {
  const name = metadata.text("general.architecture");
  const type = metadata.text("general.type") ?? "model";
  if (name === undefined || type !== "model") {
    throw new InputError(
      `${metadata.file}: is ${
        name === undefined ? "no model" : `a file of type ${quote(type)}`
      }, ` +
        "by its metadata; name a model",
    );
  }
  const found = ggufArchitectures.find((architecture) => architecture.name === name);
  if (found === undefined) {
    const known = [...new Set(ggufArchitectures.map((architecture) => architecture.name))].sort();
    throw new InputError(
      `${metadata.file}: is of llama.cpp's architecture ${quote(name)}, which is not supported; ` +
        `supported are ${known.join(", ")}`,
    );
  }
  if ((metadata.count(`${name}.expert_count`) ?? 0) > 0) {
    throw new InputError(
      `${metadata.file}: is a mixture of experts, which is not supported; take a dense model`,
    );
  }
  return found;
}

/**
 * The `config.json` that transformers would have for a GGUF file: the rows of its architecture, and
 * what GGUF keeps in other ways. Throws {@linkcode InputError} where a number is missing or of
 * another kind.
 */
export function configFromMetadata(
  metadata: MetadataReader,
  architecture: GgufArchitecture,
  tensors: ConfigTensors,
): Record<string, unknown> {
  const { modelType, className, name, config: rows, tensors: names } = architecture;
  const { shapes } = tensors;
  const config: Record<string, unknown> = { architectures: [className], model_type: modelType };
  for (const [key, metadataKey, type] of rows) {
    const path = `${name}.${metadataKey}`;
    const value = type === "bool"
      ? metadata.flag(path)
      : type === "uint32"
      ? metadata.count(path)
      : shortest(metadata.number(path));
    if (value !== undefined) config[key] = value;
  }
  const embedding = shapes.get("token_embd.weight");
  if (embedding === undefined) {
    throw new InputError(
      `${metadata.file}: has no tensor "token_embd.weight"; name a language model`,
    );
  }
  config["vocab_size"] = embedding[0];
  config["tie_word_embeddings"] = !shapes.has("output.weight");
  Object.assign(config, rotaryConfig(metadata, architecture, tensors));
  const hasBias = (part: string) => shapes.has(`blk.0.${part}.bias`);
  const has = (part: string) => names.some(([gguf]) => gguf === `blk.{}.${part}`);
  if (has("attn_q")) config["attention_bias"] = hasBias("attn_q");
  else if (modelType !== "gpt2") config["attention_bias"] = hasBias("attn_qkv");
  if (has("ffn_gate")) config["mlp_bias"] = hasBias("ffn_gate");
  Object.assign(config, architecture.settings?.(config, shapes));
  for (const [key, metadataKey] of tokenIds) {
    const id = metadata.count(`tokenizer.ggml.${metadataKey}`);
    if (id !== undefined) config[key] = id;
  }
  return config;
}

/** Ids of tokens in config.json and in the metadata. */
const tokenIds = [
  ["bos_token_id", "bos_token_id"],
  ["eos_token_id", "eos_token_id"],
  ["pad_token_id", "padding_token_id"],
] as const;
