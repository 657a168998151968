import { ArrivingBytes } from "../../data/arriving_bytes.ts";
import type { ByteSource } from "../../data/byte_source.ts";
import { type RequestOptions, UnreachableError } from "../../data/http.ts";
import { InputError } from "../../data/input_error.ts";
import { memorySource } from "../../data/memory_source.ts";
import { shownUrl } from "../../data/shown_url.ts";
import type { TensorInfo, WeightTensor } from "../../data/tensor.ts";
import { findRemoteFile, type RemoteFile } from "../../data/url_source.ts";
import type { NamedTensor } from "../file/decode_groups.ts";
import type { RowColumnFactors } from "../matrix/coded_matrix.ts";
import { type ArrivingGroups, openArrivingGroups } from "./arriving_groups.ts";
import { Channel } from "./channel.ts";
import { decodeArriving } from "./decode_arriving.ts";
import { type DownloadProgress, TensorCount } from "./download_progress.ts";
import { findKept, forget, isCurrent, keep } from "./kept_file.ts";

/** Most workers unless the caller asks for more: decoding need only keep up with the download. */
const USUAL_THREADS = 4;

/** How a model is downloaded and decoded. */
export interface OpenCompressedOptions extends RequestOptions {
  /** Most workers, 1 or more; as many as the machine has cores, but at most 4, if omitted. */
  readonly threads?: number;
  /**
   * Keeps the file in the platform's Cache API and takes it from there the next time, if the server's
   * is the same or cannot be reached. Does nothing where there is no such API.
   */
  readonly keep?: boolean;
  /** Called as bytes arrive and tensors are decoded. */
  readonly onProgress?: (progress: DownloadProgress) => void;
}

/** A model on its way: what its header says, and its tensors in the order in which they are decoded. */
export interface ArrivingModel
  extends AsyncIterable<readonly [name: string, tensor: WeightTensor]> {
  /** All tensors that are going to come, tied ones too. */
  readonly tensors: readonly TensorInfo[];
  /** Size of the file. */
  readonly byteLength: number;
  /** The model's config.json, where the file has it. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Name of the model that was compressed. */
  readonly source?: string;
  /**
   * What the whole numbers of a tensor are multiplied by, its first axis by all others: its values
   * divided by them are whole numbers but for rounding. Undefined of tensors and files of another form.
   *
   * @internal
   */
  factorsOf(name: string): RowColumnFactors | undefined;
}

/**
 * Opens a compressed model at a URL and decodes it while it downloads: the vectors first, then layer
 * by layer, in workers. A connection that breaks off is taken up again where it was; a server that knows
 * no ranges sends the file again from its beginning. Resolves when the
 * header has arrived. Ending the loop early, or the signal, ends the download. The tensors can be
 * gone through once; those that are tied share an array.
 *
 * Throws {@linkcode InputError} for `threads` that are no number of them, if the server cannot be reached or has no such file, or if the file is
 * damaged or of another format; while tensors are gone through, too.
 *
 * ```ts
 * import { HierarchicalCompressor } from "@kanpress/kanpress/hierarchy";
 * import { openCompressed } from "@kanpress/kanpress/download";
 * import assert from "node:assert";
 *
 * const data = Float32Array.from({ length: 4096 }, (_, i) => Math.sin(i * i));
 * const weights = new Map([["w", { dtype: "F32" as const, shape: [64, 64], data }]]);
 * const { bytes } = await new HierarchicalCompressor({ bits: 6 }).compress(weights);
 * const server = Deno.serve(
 *   { port: 0, hostname: "127.0.0.1", onListen() {} },
 *   () => new Response(new Uint8Array(bytes)),
 * );
 *
 * const model = await openCompressed(`http://127.0.0.1:${server.addr.port}/m.kan.safetensors`);
 * for await (const [name, { shape }] of model) assert.deepEqual([name, shape], ["w", [64, 64]]);
 * await server.shutdown();
 * ```
 */
export async function openCompressed(
  url: string | URL,
  options: OpenCompressedOptions = {},
): Promise<ArrivingModel> {
  const { threads = Math.min(USUAL_THREADS, navigator.hardwareConcurrency) } = options;
  if (!Number.isInteger(threads) || threads < 1) {
    throw new InputError(`threads: is ${threads}, not an integer from 1 on`);
  }
  const stop = new AbortController();
  const signal = options.signal === undefined
    ? stop.signal
    : AbortSignal.any([options.signal, stop.signal]);
  const download = await startDownload(String(url), { ...options, signal });
  return await openArriving(download, { ...options, threads, signal }, stop);
}

/**
 * As {@linkcode openCompressed}, of a file that is at hand: decoded layer by layer, in workers, with the
 * values of a few layers in memory at a time.
 *
 * @internal
 */
export async function openArrivingFile(
  source: ByteSource,
  options: Pick<OpenCompressedOptions, "onProgress"> = {},
): Promise<ArrivingModel> {
  const threads = Math.min(USUAL_THREADS, navigator.hardwareConcurrency);
  const download: Download = {
    source,
    arrived: () => source.byteLength,
    finish: () => Promise.resolve(),
    discard: () => Promise.resolve(),
  };
  const stop = new AbortController();
  return await openArriving(download, { ...options, threads, signal: stop.signal }, stop);
}

/** Options with every default filled in. */
interface ArrivingOptions {
  readonly threads: number;
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: DownloadProgress) => void;
}

async function openArriving(
  download: Download,
  options: ArrivingOptions,
  stop: AbortController,
): Promise<ArrivingModel> {
  const { threads, signal } = options;
  const { source } = download;
  let groups: ArrivingGroups;
  try {
    groups = await openArrivingGroups(source);
  } catch (error) {
    stop.abort();
    await download.discard();
    throw error;
  }
  const { description } = groups;
  const stored = new Map(description.tensors.map((tensor) => [tensor.name, tensor]));
  const names = [...stored.keys(), ...description.aliases.keys()];
  const count = new TensorCount(names.map((name) => ({ name })));
  const tell = () =>
    options.onProgress?.({
      bytes: download.arrived(),
      totalBytes: source.byteLength,
      tensors: count.tensors,
      totalTensors: count.totalTensors,
      layers: count.layers,
      totalLayers: count.totalLayers,
    });
  download.onArrival = tell;
  const tied = new Map<string, string[]>();
  for (const [name, target] of description.aliases) {
    tied.set(target, [...tied.get(target) ?? [], name]);
  }
  async function* decode(): AsyncGenerator<NamedTensor> {
    const channel = new Channel<NamedTensor>();
    const give = (tensors: readonly NamedTensor[]) => {
      for (const [name, tensor] of tensors) {
        for (const each of [name, ...tied.get(name) ?? []]) {
          count.add(each);
          channel.push([each, tensor]);
        }
      }
      tell();
    };
    give(groups.verbatim);
    const work = decodeArriving(groups, { threads, onGroup: give, signal })
      .then(() => download.finish())
      .then(() => channel.close(), async (error) => {
        if (error instanceof InputError) await download.discard();
        channel.fail(error);
      });
    try {
      yield* channel;
    } finally {
      stop.abort();
      await work;
    }
  }
  const tensors = decode();
  return {
    tensors: names.map((name) => {
      const { dtype, shape } = stored.get(description.aliases.get(name) ?? name)!;
      return { name, dtype, shape };
    }),
    byteLength: source.byteLength,
    ...(description.config === undefined ? {} : { config: description.config }),
    ...(description.source === undefined ? {} : { source: description.source }),
    factorsOf: (name) => groups.factorsOf(description.aliases.get(name) ?? name),
    [Symbol.asyncIterator]: () => tensors,
  };
}

/** A file that arrives, or is there. */
interface Download {
  readonly source: ByteSource;
  /** Bytes that have arrived. */
  arrived(): number;
  /** Called as bytes arrive. */
  onArrival?: () => void;
  /** Keeps the file, now that all of it has been found sound. */
  finish(): Promise<void>;
  /** Drops what was kept of it, now that it has been found damaged: the next time is a download. */
  discard(): Promise<void>;
}

async function startDownload(url: string, options: OpenCompressedOptions): Promise<Download> {
  const kept = options.keep ? await findKept(url) : undefined;
  let remote: RemoteFile;
  try {
    remote = await findRemoteFile(url, options, { inOrder: true });
  } catch (error) {
    if (kept === undefined || !(error instanceof UnreachableError)) throw error;
    return inMemory(url, kept.bytes);
  }
  if (kept !== undefined && isCurrent(kept, remote)) return inMemory(url, kept.bytes);
  const { name, byteLength, etag } = remote;
  const file = new ArrivingBytes(name, byteLength);
  const download: Download = {
    source: file,
    arrived: () => file.arrived,
    async finish() {
      if (options.keep) await keep(url, await file.read(0, byteLength), etag);
    },
    discard: () => Promise.resolve(),
  };
  // Whoever reads the file hears of a failure.
  file.fill(remote.stream(0, byteLength), () => download.onArrival?.()).catch(() => {});
  return download;
}

function inMemory(url: string, bytes: Uint8Array): Download {
  const source = memorySource(bytes, shownUrl(url));
  return {
    source,
    arrived: () => bytes.length,
    finish: () => Promise.resolve(),
    discard: () => forget(url),
  };
}
