import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs";
import { InputError } from "../../data/input_error.ts";
import { readTextTokenizer } from "../../data/read_tokenizer.ts";
import { memorySource } from "../../data/memory_source.ts";
import type { StateDict, WeightTensor } from "../../data/tensor.ts";
import type { TextTokenizer } from "../../data/tokenizer.ts";
import { useBackend } from "../../eval/compute/backend.ts";
import { generateTokens } from "../../eval/generation/generate.ts";
import type { ModelConfig } from "../../eval/architectures/config.ts";
import { createLanguageModel, type LanguageModel } from "../../eval/generation/language_model.ts";
import { openContainer } from "../../hierarchy/file/container.ts";
import { endTokens } from "../../eval/generation/end_tokens.ts";
import { decodeContainer } from "../../hierarchy/decode_container.ts";
import { openCompressed } from "../../hierarchy/download.ts";
import { hashWeights } from "../hash_weights.ts";
import type { ModelFacts, ModelOrigin, StoryOptions } from "./messages.ts";
import { fetchBytes, readBytes } from "./read_bytes.ts";

/** A decoded model that can write. */
export interface LoadedModel {
  /** The model, on its backend. */
  readonly model: LanguageModel;
  /** Its tokenizer. */
  readonly tokenizer: TextTokenizer;
  /** What the page shows of it. */
  readonly facts: ModelFacts;
}

/** Called with what is being done and, where that is known, the share that is done. */
export type LoadProgress = (activity: string, share?: number) => void;

/** The files of a tokenizer. */
interface TokenizerFiles {
  readonly tokenizer: Uint8Array;
  readonly tokenizerConfig?: Uint8Array;
}

/** A model that is decoded, and its tokenizer's files. */
interface DecodedModel extends TokenizerFiles {
  readonly name: string;
  /** Size of the compressed file. */
  readonly bytes: number;
  readonly config: ModelConfig | undefined;
  readonly weights: StateDict;
  /** Seconds until the last byte was there, and from then on until the last tensor was. */
  readonly seconds: { readonly load: number; readonly decode: number };
}

/**
 * Reads, decodes and starts a model, with the code that Deno runs. Throws an {@linkcode InputError}
 * where the file or its tokenizer cannot be used.
 */
export async function loadModel(
  origin: ModelOrigin,
  backend: "wasm" | "webgpu",
  onProgress: LoadProgress,
): Promise<LoadedModel> {
  const clock = stopwatch();
  const files = origin.kind === "server"
    ? await downloadModel(origin, onProgress)
    : await readModel(origin, onProgress);
  const { config, weights, seconds } = files;
  if (config === undefined) {
    throw new InputError(`${files.name}: holds no config.json; compress the model's folder again`);
  }
  clock();
  onProgress("starting");
  setWasmPaths(new URL("wasm/", self.location.href).href);
  await useBackend(backend);
  const model = createLanguageModel(config, weights);
  const tokenizer = await parseTokenizer(files, config, model.description.vocabularySize);
  // The first run uploads the weights and compiles what the backend compiles.
  for await (const _ of generateTokens(model, Int32Array.of(0), { temperature: 0 })) break;
  const start = clock();
  const facts: ModelFacts = {
    name: files.name,
    fileBytes: files.bytes,
    parameters: distinct(weights).reduce((sum, { length }) => sum + length, 0),
    weightBytes: distinct(weights).reduce((sum, { byteLength }) => sum + byteLength, 0),
    backendBytes: tf.memory().numBytes,
    backend,
    seconds: { ...seconds, start },
    hash: await hashWeights(weights),
  };
  return { model, tokenizer, facts };
}

/** Gives the seconds since it was last asked. */
function stopwatch(): () => number {
  let last = performance.now();
  return () => {
    const now = performance.now();
    const seconds = (now - last) / 1000;
    last = now;
    return seconds;
  };
}

/** The arrays of the weights; tied tensors share theirs. */
function distinct(weights: StateDict): Float32Array[] {
  return [...new Set(Array.from(weights.values(), ({ data }) => data))];
}

/** Downloads a model from the server and decodes it on the way. */
async function downloadModel(
  { folder, name }: Extract<ModelOrigin, { kind: "server" }>,
  onProgress: LoadProgress,
): Promise<DecodedModel> {
  const clock = stopwatch();
  let load: number | undefined;
  const url = new URL(`${folder}/model.kan.safetensors`, self.location.href);
  const model = await openCompressed(url, {
    onProgress({ bytes, totalBytes, layers, totalLayers }) {
      if (bytes === totalBytes) load ??= clock();
      const decoded = totalLayers === 0 ? "" : `, ${layers} of ${totalLayers} layers decoded`;
      onProgress(`loading${decoded}`, bytes / totalBytes);
    },
  });
  const weights = new Map<string, WeightTensor>();
  for await (const [tensor, values] of model) weights.set(tensor, values);
  load ??= clock();
  const { byteLength: bytes, config } = model;
  const seconds = { load, decode: clock() };
  return { name, bytes, config, weights, seconds, ...await fetchTokenizer(folder) };
}

/** Reads and decodes the files that the user has chosen. */
async function readModel(
  { files, fallback }: Extract<ModelOrigin, { kind: "files" }>,
  onProgress: LoadProgress,
): Promise<DecodedModel> {
  const clock = stopwatch();
  const file = files.find(({ name }) => name.endsWith(".safetensors"));
  if (file === undefined) {
    throw new InputError("none of these files is a .kan.safetensors file; choose one");
  }
  const { name } = file;
  const compressed = await readBytes(file, (share) => onProgress("loading", share));
  const tokenizer = await chosenTokenizer(files) ??
    (fallback === undefined ? undefined : await fetchTokenizer(fallback));
  if (tokenizer === undefined) throw new InputError(`${name}: choose its tokenizer.json with it`);
  const load = clock();
  onProgress("decoding");
  const container = await openContainer(memorySource(compressed, name));
  const weights = await decodeContainer(container);
  const seconds = { load, decode: clock() };
  return {
    name,
    bytes: compressed.length,
    config: container.config,
    weights,
    seconds,
    ...tokenizer,
  };
}

async function chosenTokenizer(files: readonly File[]): Promise<TokenizerFiles | undefined> {
  const json = files.find(({ name }) => name === "tokenizer.json");
  if (json === undefined) return undefined;
  const tokenizer = await readBytes(json);
  const config = files.find(({ name }) => name === "tokenizer_config.json");
  return config === undefined
    ? { tokenizer }
    : { tokenizer, tokenizerConfig: await readBytes(config) };
}

async function fetchTokenizer(folder: string): Promise<TokenizerFiles> {
  return {
    tokenizer: await fetchBytes(`${folder}/tokenizer.json`),
    tokenizerConfig: await fetchBytes(`${folder}/tokenizer_config.json`),
  };
}

/** The tokenizer, if it has as many tokens as the model. */
async function parseTokenizer(
  { name, tokenizer, tokenizerConfig }: TokenizerFiles & { readonly name: string },
  config: ModelConfig,
  vocabularySize: number,
): Promise<TextTokenizer> {
  const parsed = await readTextTokenizer(
    memorySource(tokenizer, "tokenizer.json"),
    tokenizerConfig && memorySource(tokenizerConfig, "tokenizer_config.json"),
    config,
  );
  if (parsed.vocabularySize <= vocabularySize) return parsed;
  throw new InputError(
    `${name}: the tokenizer has ${parsed.vocabularySize} tokens, the model ${vocabularySize}; ` +
      "choose the model's own tokenizer.json with it",
  );
}

/** Writes a story: gives the text so far, without the prompt, after each token. */
export async function* writeStory(
  { model, tokenizer }: LoadedModel,
  { prompt, maxTokens, temperature, seed }: StoryOptions,
  signal: AbortSignal,
): AsyncGenerator<string> {
  const { bosTokenId, addsBos } = tokenizer;
  const encoded = tokenizer.encode(prompt);
  const begins = bosTokenId !== undefined && (addsBos || encoded.length === 0);
  const ids = begins ? Int32Array.of(bosTokenId, ...encoded) : encoded;
  // Decoded with the prompt, since some tokenizers drop a text's first space.
  const before = tokenizer.decode(encoded).length;
  const added: number[] = [];
  const options = {
    temperature,
    topK: 40,
    topP: 0.95,
    seed,
    signal,
    eosTokenId: endTokens(model.config, tokenizer),
  };
  for await (const token of generateTokens(model, ids, options)) {
    added.push(token);
    yield tokenizer.decode([...encoded, ...added]).slice(before);
    if (added.length >= maxTokens) return;
  }
}
