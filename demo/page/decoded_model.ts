import type { ByteSource } from "../../data/byte_source.ts";
import { InputError } from "../../data/input_error.ts";
import { memorySource } from "../../data/memory_source.ts";
import { sha256OfJson } from "../../data/sha256.ts";
import type { StateDict, TensorInfo, WeightTensor } from "../../data/tensor.ts";
import type { ModelConfig } from "../../eval/architectures/config.ts";
import { decodeContainer } from "../../hierarchy/decode_container.ts";
import { openCompressed } from "../../hierarchy/download.ts";
import { openContainer } from "../../hierarchy/file/container.ts";
import { readContainerHeader } from "../../hierarchy/file/container_header.ts";
import { isThisMachine, type ServedModel, WEIGHTS_NAME } from "../served_model.ts";
import { WeightsHash } from "../weights_hash.ts";
import { sortChosenFiles } from "./chosen_files.ts";
import type { LoadProgress, ModelOrigin } from "./messages.ts";
import { fetchBytes, fileSource, readBytes } from "./read_bytes.ts";

/** A model that is decoded, and the files beside it. */
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
  /** Its weights; tied tensors share an array. */
  readonly weights: StateDict;
  /** SHA-256 of the weights, see `WeightsHash`. */
  readonly hash: string;
  /** Seconds until the last byte was there, and from then on until the last tensor was. */
  readonly seconds: { readonly load: number; readonly decode: number };
}

/** Called with how far the work is. */
export type OnProgress = (progress: LoadProgress) => void;

/**
 * Reads and decodes a model. Throws an {@linkcode InputError} where the file cannot be used, and
 * before anything is decoded where it has no tokenizer.
 */
export async function decodeModel(
  origin: ModelOrigin,
  onProgress: OnProgress,
): Promise<DecodedModel> {
  return origin.kind === "server"
    ? await downloadModel(origin.model, onProgress)
    : await readModel(origin, onProgress);
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
async function downloadModel(served: ServedModel, onProgress: OnProgress): Promise<DecodedModel> {
  const clock = stopwatch();
  let load: number | undefined;
  const url = new URL(`${served.folder}/${WEIGHTS_NAME}`, self.location.href);
  // Another file of the name is another address, also where the server gives no entity tags.
  url.searchParams.set("sha256", served.headerSha256);
  const companions = fetchCompanions(served);
  // Heard of below, once the model is there.
  companions.catch(() => {});
  const model = await openCompressed(url, {
    keep: !isThisMachine(self.location.hostname),
    onProgress({ bytes, totalBytes, layers, totalLayers }) {
      if (bytes === totalBytes) load ??= clock();
      onProgress({
        activity: bytes < totalBytes ? "downloading" : "decoding",
        bytes: [bytes, totalBytes],
        ...(totalLayers > 0 && { layers: [layers, totalLayers] as const }),
      });
    },
  });
  const config = requireConfig(served.name, model.config);
  const weights = new Map<string, WeightTensor>();
  const hash = new WeightsHash();
  for await (const [tensor, values] of model) {
    weights.set(tensor, values);
    await hash.add(tensor, values);
  }
  load ??= clock();
  return {
    name: served.name,
    bytes: model.byteLength,
    config,
    tensors: untied(model.tensors, weights),
    weights,
    hash: await hash.finish(),
    seconds: { load, decode: clock() },
    companions: await companions,
  };
}

/** Reads and decodes the files that the user has chosen. */
async function readModel(
  { files, served }: Extract<ModelOrigin, { kind: "files" }>,
  onProgress: OnProgress,
): Promise<DecodedModel> {
  const clock = stopwatch();
  const chosen = await sortChosenFiles(files);
  const { name } = chosen.weights;
  const { description } = await readContainerHeader(fileSource(chosen.weights));
  const config = requireConfig(name, description.config);
  const companions = await findCompanions(name, config, chosen.companions, served);
  const bytes = await readBytes(chosen.weights, (here, total) => {
    onProgress({ activity: "reading", bytes: [here, total] });
  });
  const load = clock();
  onProgress({ activity: "decoding" });
  const container = await openContainer(memorySource(bytes, name));
  const weights = await decodeContainer(container);
  const hash = new WeightsHash();
  for (const [tensor, values] of weights) await hash.add(tensor, values);
  return {
    name,
    bytes: bytes.length,
    config,
    tensors: untied(container.tensors, weights),
    weights,
    hash: await hash.finish(),
    seconds: { load, decode: clock() },
    companions,
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
    Array.from(chosen, async ([role, file]) => memorySource(await readBytes(file), role)),
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

async function fetchCompanions({ folder, files }: ServedModel): Promise<ByteSource[]> {
  return await Promise.all(
    files.map(async (name) => memorySource(await fetchBytes(`${folder}/${name}`), name)),
  );
}

function requireConfig(name: string, config: ModelConfig | undefined): ModelConfig {
  if (config !== undefined) return config;
  throw new InputError(`${name}: holds no config.json; compress the model's folder again`);
}

/** The tensors without those that share another one's values. */
function untied(tensors: readonly TensorInfo[], weights: StateDict): TensorInfo[] {
  const seen = new Set<Float32Array>();
  return tensors.filter(({ name }) => {
    const { data } = weights.get(name)!;
    if (seen.has(data)) return false;
    seen.add(data);
    return true;
  });
}
