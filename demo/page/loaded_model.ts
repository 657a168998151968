import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs";
import type { ByteSource } from "../../data/byte_source.ts";
import type { ChatTemplate } from "../../data/chat/chat_template.ts";
import { readChatTemplate } from "../../data/chat/read_chat_template.ts";
import { InputError } from "../../data/input_error.ts";
import { readJsonObject } from "../../data/json_file.ts";
import { readTextTokenizer } from "../../data/read_tokenizer.ts";
import { memorySource } from "../../data/memory_source.ts";
import type { StateDict, WeightTensor } from "../../data/tensor.ts";
import type { TextTokenizer } from "../../data/tokenizer.ts";
import { useBackend } from "../../eval/compute/backend.ts";
import { chatPrompt, turnEndTokens } from "../../eval/generation/chat.ts";
import { decodeAdded, generateTokens } from "../../eval/generation/generate.ts";
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
  /** Its chat template, if it was trained to chat. */
  readonly chatTemplate?: ChatTemplate;
  /** Tokens that end what it writes. */
  readonly ends: readonly number[];
  /** What the page shows of it. */
  readonly facts: ModelFacts;
}

/** Called with what is being done and, where that is known, the share that is done. */
export type LoadProgress = (activity: string, share?: number) => void;

/** What a model needs beside its weights; only the first is always there. */
const COMPANIONS = [
  "tokenizer.json",
  "tokenizer_config.json",
  "generation_config.json",
  "chat_template.jinja",
];

/** A model that is decoded, and the files beside it. */
interface DecodedModel {
  readonly name: string;
  /** Files of {@linkcode COMPANIONS}. */
  readonly companions: readonly ByteSource[];
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
  const chatTemplate = await readChatTemplate(files.companions, config);
  const generation = findFile(files, "generation_config.json");
  const ends = endTokens(config, tokenizer, generation && await readJsonObject(generation));
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
    chats: chatTemplate !== undefined,
    seconds: { ...seconds, start },
    hash: await hashWeights(weights),
  };
  return { model, tokenizer, ...(chatTemplate && { chatTemplate }), ends, facts };
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
  const companions = await fetchCompanions(folder);
  return { name, bytes, config, weights, seconds, companions };
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
  const companions = await chosenCompanions(files) ??
    (fallback === undefined ? undefined : await fetchCompanions(fallback));
  if (companions === undefined) throw new InputError(`${name}: choose its tokenizer.json with it`);
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
    companions,
  };
}

async function chosenCompanions(files: readonly File[]): Promise<ByteSource[] | undefined> {
  const own = files.filter(({ name }) => COMPANIONS.includes(name));
  if (!own.some(({ name }) => name === COMPANIONS[0])) return undefined;
  return await Promise.all(own.map(async (file) => memorySource(await readBytes(file), file.name)));
}

async function fetchCompanions(folder: string): Promise<ByteSource[]> {
  const files = await Promise.all(
    COMPANIONS.map(async (name) => memorySource(await fetchBytes(`${folder}/${name}`), name)),
  );
  return files.filter(({ byteLength }) => byteLength > 0);
}

function findFile(
  { companions }: Pick<DecodedModel, "companions">,
  name: string,
): ByteSource | undefined {
  return companions.find((file) => file.name === name);
}

/** The tokenizer, if it has as many tokens as the model. */
async function parseTokenizer(
  files: Pick<DecodedModel, "name" | "companions">,
  config: ModelConfig,
  vocabularySize: number,
): Promise<TextTokenizer> {
  const { name } = files;
  const json = findFile(files, "tokenizer.json")!;
  const parsed = await readTextTokenizer(json, findFile(files, "tokenizer_config.json"), config);
  if (parsed.vocabularySize <= vocabularySize) return parsed;
  throw new InputError(
    `${name}: the tokenizer has ${parsed.vocabularySize} tokens, the model ${vocabularySize}; ` +
      "choose the model's own tokenizer.json with it",
  );
}

/** Writes a story, or answers: gives the text so far, without the prompt, after each token. */
export async function* writeStory(
  { model, tokenizer, chatTemplate, ends }: LoadedModel,
  { prompt, chat, maxTokens, temperature, seed }: StoryOptions,
  signal: AbortSignal,
): AsyncGenerator<string> {
  const template = chat ? chatTemplate : undefined;
  const encoded = template === undefined
    ? tokenizer.encode(prompt)
    : chatPrompt(template, tokenizer, [{ role: "user", content: prompt }]);
  const { bosTokenId, addsBos } = tokenizer;
  const begins = bosTokenId !== undefined && (addsBos || encoded.length === 0);
  // Templates write the token that begins texts themselves.
  const ids = begins && template === undefined ? Int32Array.of(bosTokenId, ...encoded) : encoded;
  const added: number[] = [];
  const turnEnds = template === undefined ? [] : turnEndTokens(template, tokenizer);
  const sampling = { temperature, topK: 40, topP: 0.95, seed, signal };
  const options = { ...sampling, eosTokenId: [...ends, ...turnEnds] };
  for await (const token of generateTokens(model, ids, options)) {
    added.push(token);
    yield decodeAdded(tokenizer, encoded, added);
    if (added.length >= maxTokens) return;
  }
}
