import { type ByteSource, readAll } from "./byte_source.ts";
import { InputError } from "./input_error.ts";
import { readJsonObject } from "./json_file.ts";
import { indexSuffix, type ModelFiles } from "./model_files.ts";
import { memorySource } from "./memory_source.ts";
import { dequantizedWeights } from "./quantized/quantized_weights.ts";
import { openSafetensors } from "./safetensors_file.ts";
import { openShardedSafetensors } from "./safetensors_shards.ts";
import type { WeightSource } from "./tensor.ts";
import { readTextTokenizer } from "./read_tokenizer.ts";
import type { TextTokenizer } from "./tokenizer.ts";

/** A model in the Hugging Face layout: configuration, weights and tokenizer. */
export interface ModelSource {
  /** Its name for messages and reports, such as `openai-community/gpt2`. */
  readonly name: string;
  /** The local folder that it is in, unless it is read from a URL. */
  readonly path?: string;
  /** Contents of `config.json`. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Weights, read one tensor at a time. */
  readonly weights: WeightSource;
  /** Bytes of the weight files. */
  readonly originalBytes: number;
  /**
   * The other files that belong to the model, unchanged: configurations and tokenizer. Of a GGUF
   * model they are made from its metadata; of one that is dequantized as it is read, `config.json`
   * is without its `quantization_config`.
   */
  readonly companions: readonly ByteSource[];
  /** Its card (`README.md`) and its licence, where it has them. */
  readonly documents: readonly ByteSource[];
  /**
   * How its weights are quantized already, where they are and are dequantized as they are read, such
   * as `GGUF Q4_K and Q6_K` or `GPTQ, 4 bits in groups of 128`.
   */
  readonly quantization?: string;
  /** Reads the tokenizer; throws an {@linkcode InputError} if the model has none. */
  tokenizer(): Promise<TextTokenizer>;
}

/** A place that files are read from by name: a folder or the folder of a URL. */
export interface ModelFolder {
  /** Its name for messages. */
  readonly name: string;
  /** Its path, where it is a local folder. */
  readonly path?: string;
  /** Opens one file. */
  open(fileName: string): Promise<ByteSource>;
}

/** Throws where a file is a Git LFS pointer: it would be copied, or read as something else. */
async function refusePointer(file: ByteSource): Promise<void> {
  // Pointers are about 130 bytes long.
  if (file.byteLength <= 1024) await readAll(file);
}

/** A longer file is none that people read. */
const longestDocument = 1e6;

/** Opens a file for people; a model can do without one that cannot be read. */
async function openDocument(
  open: ModelFolder["open"],
  name: string,
): Promise<ByteSource | undefined> {
  try {
    const file = await open(name);
    await refusePointer(file);
    return file.byteLength <= longestDocument ? file : undefined;
  } catch (error) {
    if (error instanceof InputError) return undefined;
    throw error;
  }
}

/** Opens files for people, as far as they can be read and people read such. */
export async function openDocuments(
  open: ModelFolder["open"],
  names: readonly string[],
): Promise<ByteSource[]> {
  const documents = await Promise.all(names.map((name) => openDocument(open, name)));
  return documents.filter((document) => document !== undefined);
}

function configSource(config: Readonly<Record<string, unknown>>): ByteSource {
  const text = `${JSON.stringify(config, null, 2)}\n`;
  return memorySource(new TextEncoder().encode(text), "config.json");
}

/** Opens a model of which it is known which files are what. */
export async function openModelFolder(
  folder: ModelFolder,
  files: ModelFiles,
): Promise<ModelSource> {
  const companions = await Promise.all(files.companions.map((name) => folder.open(name)));
  await Promise.all(companions.map(refusePointer));
  const documents = await openDocuments((name) => folder.open(name), files.documents);
  const companion = (name: string) => companions[files.companions.indexOf(name)];
  const configFile = companion("config.json");
  if (configFile === undefined) {
    throw new InputError(`${folder.name}: has no config.json; name the folder of a model`);
  }
  const written = await readJsonObject(configFile);
  const weightsFile = await folder.open(files.weights);
  const stored = files.weights.endsWith(indexSuffix)
    ? await openShardedSafetensors(weightsFile, (name) => folder.open(name))
    : await openSafetensors(weightsFile);
  const dequantized = await dequantizedWeights(stored, written);
  const { weights, quantization } = dequantized ?? { weights: stored, quantization: undefined };
  // What is dequantized here would otherwise be taken for quantized where it is loaded.
  const { quantization_config: _, ...plain } = written;
  const config = dequantized === undefined ? written : plain;

  async function readTokenizer(): Promise<TextTokenizer> {
    const file = companion("tokenizer.json");
    if (file === undefined) {
      throw new InputError(
        `${folder.name}: has no tokenizer.json; add it, or save the tokenizer as a fast one ` +
          `with transformers`,
      );
    }
    const settings = companion("tokenizer_config.json");
    return await readTextTokenizer(file, settings, config, companion("special_tokens_map.json"));
  }

  let tokenizer: Promise<TextTokenizer> | undefined;
  return {
    name: folder.name,
    ...(folder.path === undefined ? {} : { path: folder.path }),
    config,
    weights,
    originalBytes: stored.byteLength,
    companions: companions.map((file) =>
      file === configFile && dequantized !== undefined ? configSource(config) : file
    ),
    documents,
    ...(quantization === undefined ? {} : { quantization }),
    tokenizer: () => tokenizer ??= readTokenizer(),
  };
}
