import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs";
import { InputError } from "../../data/input_error.ts";
import { readTextTokenizer } from "../../data/read_tokenizer.ts";
import { memorySource } from "../../data/memory_source.ts";
import { elementCount, type StateDict } from "../../data/tensor.ts";
import type { TextTokenizer } from "../../data/tokenizer.ts";
import { useBackend } from "../../eval/compute/backend.ts";
import { generateTokens } from "../../eval/generation/generate.ts";
import type { ModelConfig } from "../../eval/architectures/config.ts";
import { createLanguageModel, type LanguageModel } from "../../eval/generation/language_model.ts";
import { openContainer } from "../../hierarchy/file/container.ts";
import { endTokens } from "../../eval/generation/end_tokens.ts";
import { decodeContainer } from "../../hierarchy/decode_container.ts";
import { hashWeights } from "../hash_weights.ts";
import type { ModelFacts, ModelOrigin, StoryOptions } from "./messages.ts";
import { fetchBytes, readBytes, type ReadProgress } from "./read_bytes.ts";

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

/** The three files that a model consists of. */
interface ModelBytes {
  readonly name: string;
  readonly weights: Uint8Array;
  readonly tokenizer: Uint8Array;
  readonly tokenizerConfig?: Uint8Array;
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
  const files = await readModel(origin, (share) => onProgress("loading", share));
  const load = clock();
  onProgress("decoding");
  const container = await openContainer(memorySource(files.weights, files.name));
  const { config } = container;
  if (config === undefined) {
    throw new InputError(`${files.name}: holds no config.json; compress the model's folder again`);
  }
  const weights = await decodeContainer(container);
  const decode = clock();
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
    fileBytes: files.weights.length,
    parameters: container.tensors.reduce((sum, { shape }) => sum + elementCount(shape), 0),
    weightBytes: distinctBytes(weights),
    backendBytes: tf.memory().numBytes,
    backend,
    seconds: { load, decode, start },
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

/** Bytes of the weights in memory; tied tensors share theirs. */
function distinctBytes(weights: StateDict): number {
  const arrays = new Set(Array.from(weights.values(), ({ data }) => data));
  return [...arrays].reduce((sum, { byteLength }) => sum + byteLength, 0);
}

async function readModel(origin: ModelOrigin, onProgress: ReadProgress): Promise<ModelBytes> {
  if (origin.kind === "server") {
    const { folder, name } = origin;
    const weights = await fetchBytes(`${folder}/model.kan.safetensors`, onProgress);
    return { name, weights, ...await fetchTokenizer(folder) };
  }
  const { files, fallback } = origin;
  const file = files.find(({ name }) => name.endsWith(".safetensors"));
  if (file === undefined) {
    throw new InputError("none of these files is a .kan.safetensors file; choose one");
  }
  const weights = await readBytes(file, onProgress);
  const json = files.find(({ name }) => name === "tokenizer.json");
  const config = files.find(({ name }) => name === "tokenizer_config.json");
  const { name } = file;
  if (json !== undefined) {
    const tokenizer = await readBytes(json);
    return config === undefined
      ? { name, weights, tokenizer }
      : { name, weights, tokenizer, tokenizerConfig: await readBytes(config) };
  }
  if (fallback === undefined) throw new InputError(`${name}: choose its tokenizer.json with it`);
  return { name, weights, ...await fetchTokenizer(fallback) };
}

async function fetchTokenizer(
  folder: string,
): Promise<Pick<ModelBytes, "tokenizer" | "tokenizerConfig">> {
  return {
    tokenizer: await fetchBytes(`${folder}/tokenizer.json`),
    tokenizerConfig: await fetchBytes(`${folder}/tokenizer_config.json`),
  };
}

/** The tokenizer, if it has as many tokens as the model. */
async function parseTokenizer(
  { name, tokenizer, tokenizerConfig }: ModelBytes,
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
