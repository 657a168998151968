import type { ByteSource } from "../../data/byte_source.ts";
import { InputError } from "../../data/input_error.ts";
import { memorySource } from "../../data/memory_source.ts";
import { sha256OfJson } from "../../data/sha256.ts";
import type { TensorInfo } from "../../data/tensor.ts";
import type { ModelConfig } from "../../eval/architectures/config.ts";
import { readContainerHeader } from "../../hierarchy/file/container_header.ts";
import type { DownloadProgress } from "../../hierarchy/streaming/download_progress.ts";
import {
  type ArrivingModel,
  openArrivingFile,
  openCompressed,
} from "../../hierarchy/streaming/open_compressed.ts";
import { isThisMachine, type ServedModel, WEIGHTS_NAME } from "../served_model.ts";
import { WeightsHash } from "../weights_hash.ts";
import { sortChosenFiles } from "./chosen_files.ts";
import { buildEngine } from "./build_engine.ts";
import type { EngineBuilder } from "./engine.ts";
import type { EngineName, LoadProgress, ModelOrigin } from "./messages.ts";
import { fetchBytes, fileSource, PATIENCE } from "./read_bytes.ts";

/** A model that is decoded, in the engine that runs it, and the files beside it. */
export interface DecodedModel {
  /** What it is called. */
  readonly name: string;
  /** Files of `COMPANION_NAMES` that it has. */
  readonly companions: readonly ByteSource[];
  /** Size of the compressed file. */
  readonly bytes: number;
  /** Its config.json. */
  readonly config: ModelConfig;
  /** Its tensors as the original has them, tied ones once. */
  readonly tensors: readonly TensorInfo[];
  /** What holds its weights. */
  readonly engine: EngineBuilder;
  /** SHA-256 of the weights, see `WeightsHash`. */
  readonly hash: string;
  /** Seconds until the last byte was there, and from then on until the last tensor was. */
  readonly seconds: { readonly load: number; readonly decode: number };
}

/** Called with how far the work is. */
export type OnProgress = (progress: LoadProgress) => void;

/**
 * Reads and decodes a model, tensor by tensor, into an engine. Throws an {@linkcode InputError} where
 * the file cannot be used, and before anything is decoded where it has no tokenizer or cannot run.
 */
export async function decodeModel(
  origin: ModelOrigin,
  wanted: EngineName,
  onProgress: OnProgress,
): Promise<DecodedModel> {
  return origin.kind === "server"
    ? await downloadModel(origin.model, wanted, onProgress)
    : await readModel(origin, wanted, onProgress);
}

/** Gives the seconds since it was last asked. */
export function stopwatch(): () => number {
  let last = performance.now();
  return () => {
    const now = performance.now();
    const seconds = (now - last) / 1000;
    last = now;
    return seconds;
  };
}

/** Downloads a model of the page's site and decodes it on the way. */
async function downloadModel(
  served: ServedModel,
  wanted: EngineName,
  onProgress: OnProgress,
): Promise<DecodedModel> {
  const url = new URL(`${served.folder}/${WEIGHTS_NAME}`, self.location.href);
  // Another file of the name is another address, also where the server gives no entity tags.
  url.searchParams.set("sha256", served.headerSha256);
  const keep = !isThisMachine(self.location.hostname);
  const open = (onProgress: OnArrival) => openCompressed(url, { ...PATIENCE, keep, onProgress });
  // What fails first ends the other: the panel ends the worker.
  const [companions, model] = await Promise.all([
    fetchCompanions(served),
    arrive(served.name, open, wanted, onProgress),
  ]);
  return { ...model, companions };
}

/** Reads and decodes the files that the user has chosen. */
async function readModel(
  { files, served }: Extract<ModelOrigin, { kind: "files" }>,
  wanted: EngineName,
  onProgress: OnProgress,
): Promise<DecodedModel> {
  const chosen = await sortChosenFiles(files);
  const { name } = chosen.weights;
  const source = fileSource(chosen.weights);
  const { description } = await readContainerHeader(source);
  const config = requireConfig(name, description.config);
  const companions = await findCompanions(name, config, chosen.companions, served);
  const open = (onProgress: OnArrival) => openArrivingFile(source, { onProgress });
  return { ...await arrive(name, open, wanted, onProgress), companions };
}

type OnArrival = (progress: DownloadProgress) => void;

/** Takes a model's tensors as they come, keeping them in the engine alone. */
async function arrive(
  name: string,
  open: (onProgress: OnArrival) => Promise<ArrivingModel>,
  wanted: EngineName,
  onProgress: OnProgress,
): Promise<Omit<DecodedModel, "companions">> {
  const clock = stopwatch();
  let load: number | undefined;
  const model = await open(({ bytes, totalBytes, layers, totalLayers }) => {
    if (bytes === totalBytes) load ??= clock();
    onProgress({
      activity: bytes < totalBytes ? "downloading" : "decoding",
      bytes: [bytes, totalBytes],
      ...(totalLayers > 0 && { layers: [layers, totalLayers] as const }),
    });
  });
  const config = requireConfig(name, model.config);
  const engine = await buildEngine(config, model.tensors.map(({ name }) => name), wanted);
  const hash = new WeightsHash();
  const infos = new Map(model.tensors.map((tensor) => [tensor.name, tensor]));
  const tensors: TensorInfo[] = [];
  const seen = new WeakSet<Float32Array>();
  for await (const [tensor, values] of model) {
    if (!seen.has(values.data)) tensors.push(infos.get(tensor)!);
    seen.add(values.data);
    await hash.add(tensor, values);
    engine.put(tensor, values, model.factorsOf(tensor));
  }
  load ??= clock();
  return {
    name,
    bytes: model.byteLength,
    config,
    tensors,
    engine,
    hash: await hash.finish(),
    seconds: { load, decode: clock() },
  };
}

/** What belongs to a model of the user's: files of theirs, or of a model of the same kind. */
async function findCompanions(
  name: string,
  config: ModelConfig,
  chosen: ReadonlyMap<string, File>,
  served: readonly ServedModel[],
): Promise<ByteSource[]> {
  const own = await Promise.all(
    Array.from(chosen, async ([role, file]) => await copyOf(file, role)),
  );
  if (chosen.has("tokenizer.json")) return own;
  const configSha256 = await sha256OfJson(config);
  const akin = served.find((model) => model.configSha256 === configSha256);
  if (akin === undefined) {
    throw new InputError(
      `${name}: has no tokenizer; choose the model's tokenizer.json together with it`,
    );
  }
  // Its card tells of another file.
  const lent = (await fetchCompanions(akin)).filter((file) => file.name !== "README.md");
  return [...own, ...lent.filter((file) => !chosen.has(file.name))];
}

async function copyOf(file: File, name: string): Promise<ByteSource> {
  return memorySource(await fileSource(file).read(0, file.size), name);
}

async function fetchCompanions({ folder, files }: ServedModel): Promise<ByteSource[]> {
  return await Promise.all(
    files.map(async (name) => memorySource(await fetchBytes(`${folder}/${name}`), name)),
  );
}

function requireConfig(name: string, config: ModelConfig | undefined): ModelConfig {
  if (config !== undefined) return config;
  throw new InputError(`${name}: holds no config.json; compress the model's folder again`);
}
