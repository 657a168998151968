import type { ByteSource } from "../byte_source.ts";
import { InputError } from "../input_error.ts";
import { memorySource } from "../memory_source.ts";
import { cardName } from "../model_files.ts";
import type { ModelSource } from "../model_source.ts";
import { joinSettings } from "../tokenizer/special_tokens.ts";
import { createTextTokenizer, type TextTokenizer } from "../tokenizer.ts";
import { checkVocabularySize } from "../tokenizer_size.ts";
import { cardFromMetadata } from "./card_from_metadata.ts";
import { configFromMetadata, ggufArchitectureOf } from "./config_from_metadata.ts";
import { type GgufFile, openGguf } from "./gguf_file.ts";
import { ggufWeights } from "./gguf_weights.ts";
import { describeQuantization } from "./quantization.ts";
import { rotaryTensors } from "./rotary_from_metadata.ts";
import { type RebuiltTokenizer, tokenizerFromMetadata } from "./tokenizer_from_metadata.ts";

/** Where a GGUF model is. */
export interface GgufPlace {
  /** Its name for messages and reports. */
  readonly name: string;
  /** The local folder that it is in. */
  readonly path?: string;
  /** The file, or all files that it is split over, in their order. */
  readonly parts: readonly ByteSource[];
  /** Card and licence that lie beside it. */
  readonly documents: readonly ByteSource[];
}

/**
 * Opens a GGUF model as one in the Hugging Face layout: its tensors under the names of transformers
 * and in its order of rows, dequantized one at a time, and `config.json`, tokenizer, chat template
 * and card rebuilt from the metadata.
 *
 * A tokenizer that is not supported is said when it is asked for. Throws {@linkcode InputError} that
 * names the file for all else that is damaged or not supported.
 */
export async function openGgufModel(
  { name, path, parts, documents }: GgufPlace,
): Promise<ModelSource> {
  const file = await openGguf(parts);
  const { metadata } = file;
  const architecture = ggufArchitectureOf(metadata);
  const shapes = new Map(file.tensors.map((tensor) => [tensor.name, tensor.shape]));
  const config = configFromMetadata(metadata, architecture, {
    shapes,
    ...await readRotaryTensors(file),
  });
  const weights = ggufWeights(file, architecture, config);
  const quantization = describeQuantization(
    file.tensors.map(({ type, shape }) => ({ type, shape })),
  );
  const rebuilt = tryTokenizer(() => tokenizerFromMetadata(metadata));
  const card = cardFromMetadata(metadata);
  const read = (): TextTokenizer => {
    if (rebuilt instanceof InputError) throw rebuilt;
    const settings = joinSettings(rebuilt.settings, undefined, config);
    const tokenizer = createTextTokenizer(rebuilt.tokenizer, settings, metadata.file);
    checkVocabularySize(metadata.file, tokenizer.vocabularySize, config);
    return tokenizer;
  };
  let tokenizer: TextTokenizer | undefined;
  return {
    name,
    ...(path === undefined ? {} : { path }),
    config,
    weights,
    originalBytes: file.byteLength,
    companions: companionsOf(file, config, rebuilt),
    // What the file says of itself goes before a card that may lie in its folder for another.
    documents: card === undefined ? documents : [
      memorySource(new TextEncoder().encode(card), cardName),
      ...documents.filter((document) => !document.name.endsWith(cardName)),
    ],
    ...(quantization === undefined ? {} : { quantization }),
    tokenizer: () => Promise.resolve().then(() => tokenizer ??= read()),
  };
}

async function readRotaryTensors(file: GgufFile): Promise<Record<string, Float32Array>> {
  const found: Record<string, Float32Array> = {};
  for (const tensor of file.tensors) {
    const key = rotaryTensors.get(tensor.name);
    if (key !== undefined) found[key] = await file.read(tensor);
  }
  return found;
}

function tryTokenizer(make: () => RebuiltTokenizer): RebuiltTokenizer | InputError {
  try {
    return make();
  } catch (error) {
    if (error instanceof InputError) return error;
    throw error;
  }
}

/** The files that a model folder would have beside the weights, in the order of their names. */
function companionsOf(
  { metadata }: GgufFile,
  config: Readonly<Record<string, unknown>>,
  rebuilt: RebuiltTokenizer | InputError,
): ByteSource[] {
  const files: [string, string][] = [["config.json", json(config)]];
  const template = metadata.text("tokenizer.chat_template");
  if (template !== undefined) files.push(["chat_template.jinja", template]);
  const ends = endTokens(metadata.count.bind(metadata));
  if (ends.length > 0) {
    const { bos_token_id: bos } = config;
    const eos = ends.length === 1 ? ends[0] : ends;
    const generation = { ...(bos === undefined ? {} : { bos_token_id: bos }), eos_token_id: eos };
    files.push(["generation_config.json", json(generation)]);
  }
  if (!(rebuilt instanceof InputError)) {
    files.push(["tokenizer.json", JSON.stringify(rebuilt.tokenizer)]);
    files.push(["tokenizer_config.json", json(rebuilt.settings)]);
  }
  return files.toSorted().map(([name, text]) => memorySource(new TextEncoder().encode(text), name));
}

/** The tokens that end a text or a turn. */
function endTokens(count: (key: string) => number | undefined): number[] {
  const ids = ["eos", "eot", "eom"].map((name) => count(`tokenizer.ggml.${name}_token_id`));
  return [...new Set(ids.filter((id) => id !== undefined))];
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
