import { bytesPerElement } from "../../data/dtype.ts";
import type { ByteSource } from "../../data/byte_source.ts";
import { InputError } from "../../data/input_error.ts";
import { quote } from "../../data/quote.ts";
import { openSafetensors } from "../../data/safetensors_file.ts";
import { sha256, sha256OfJson } from "../../data/sha256.ts";
import { elementCount } from "../../data/tensor.ts";
import { FORMAT_NAME } from "../format/constants.ts";
import { versionProblem } from "../format/version.ts";
import {
  type LevelRow,
  parseAliases,
  parseObject,
  parseStages,
  parseTensors,
} from "./container_rows.ts";
import type { StoredTensor } from "./tensor_names.ts";

/** Name of the stream of the tensors that no level codes. */
export const VERBATIM = "exact";

/** Name in the file of a level's stream. */
export function streamName(stage: number, level: number, name: string): string {
  return `${stage}.${level}.${name}`;
}

/** What a compressed model holds beside its streams. */
export interface ContainerDescription {
  /** Every stored tensor, in the order in which values are coded. */
  readonly tensors: readonly StoredTensor[];
  /** Tied tensors: the name of the tensor that holds the values, by name. */
  readonly aliases: ReadonlyMap<string, string>;
  /** The model's config.json, where it is known. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Name of the model that was compressed. */
  readonly source?: string;
  /** `weightsDigest` of the model that was compressed: by it an original is known again. */
  readonly sourceSha256?: string;
  /** Name of the file that it was read from, for messages. */
  readonly file?: string;
}

/** Where a stream is among the bytes of the source. */
export interface StreamPlace {
  readonly start: number;
  readonly end: number;
  /** In base64, as the header has it. */
  readonly sha256: string;
}

/** What the header of a compressed model says; its streams are read when they are asked for. */
export interface ContainerHeader {
  /** Everything of the container but the streams. */
  readonly description: ContainerDescription;
  /** The levels of each stage, with the names of their streams. */
  readonly levels: readonly (readonly LevelRow[])[];
  /** Bytes of each stream, by its name in the file. */
  readonly streamLengths: ReadonlyMap<string, number>;
  /** Where a stream is that the header lists. */
  placeOf(name: string): StreamPlace;
  /** Reads a stream by its name in the file; {@linkcode InputError} if it is damaged. */
  readStream(name: string): Promise<Uint8Array>;
  /** Reads the bytes of the tensors that no level codes. */
  readVerbatim(): Promise<Uint8Array>;
}

/** Whether a safetensors file's metadata is that of a compressed model. */
export function isContainer(metadata: Readonly<Record<string, string>>): boolean {
  return metadata.format === FORMAT_NAME;
}

/** SHA-256 of the metadata but for the checksum itself: a flipped bit in the header shows here. */
export async function headerChecksum(metadata: Readonly<Record<string, string>>): Promise<string> {
  const entries = Object.entries(metadata).filter(([key]) => key !== "checksum").sort();
  return await sha256OfJson(entries);
}

/**
 * Reads and checks the header of a compressed model: that the streams are there which it lists, and no
 * others. Throws {@linkcode InputError} that names the file and what is wrong with it.
 */
export async function readContainerHeader(source: ByteSource): Promise<ContainerHeader> {
  const file = await openSafetensors(source);
  const refuse = (what: string) => new InputError(`${source.name}: ${what}`);
  const { metadata } = file;
  if (!isContainer(metadata)) {
    throw refuse(
      "is not a compressed model (its metadata lacks format kanpress); compress it first",
    );
  }
  const otherVersion = versionProblem(metadata.version, metadata.writer);
  if (otherVersion !== undefined) throw refuse(otherVersion);
  if (metadata.checksum !== await headerChecksum(metadata)) {
    throw refuse("its header is damaged (checksum mismatch); copy or compress it again");
  }
  const fail = (what: string) => refuse(`${what}; the file is damaged, compress the model again`);
  const tensors = parseTensors(metadata.tensors, fail);
  const aliases = parseAliases(metadata.aliases, tensors, fail);
  const config = metadata.config === undefined
    ? undefined
    : parseObject(metadata.config, "config", fail);
  const levels = parseStages(metadata.stages, fail);
  const hashes = parseObject(metadata.sha256, "sha256", fail);
  const streamLengths = new Map(file.tensors.map(({ name, start, end }) => [name, end - start]));
  const places = new Map(file.tensors.map((stream) => [stream.name, stream]));
  const dataLength = file.tensors.reduce((most, { end }) => Math.max(most, end), 0);
  const verbatimLength = verbatimByteLength(tensors);
  requireStreams();
  return {
    description: {
      tensors,
      aliases,
      ...(config === undefined ? {} : { config }),
      ...(metadata.source === undefined ? {} : { source: metadata.source }),
      ...(metadata.sourceSha256 === undefined ? {} : { sourceSha256: metadata.sourceSha256 }),
      file: source.name,
    },
    levels,
    streamLengths,
    placeOf,
    readStream,
    readVerbatim: async () => verbatimLength > 0 ? await readStream(VERBATIM) : new Uint8Array(),
  };

  function requireStreams(): void {
    const spare = new Set(streamLengths.keys());
    const take = (name: string) => {
      if (!spare.delete(name)) throw fail(`lacks stream ${quote(name)}`);
    };
    for (const [i, rows] of levels.entries()) {
      for (const [j, { streams }] of rows.entries()) {
        for (const name of streams) take(streamName(i, j, name));
      }
    }
    if (verbatimLength > 0) {
      take(VERBATIM);
      const length = streamLengths.get(VERBATIM)!;
      if (length !== verbatimLength) {
        throw fail(`stream "exact" has ${length} bytes, but its tensors need ${verbatimLength}`);
      }
    }
    for (const name of spare) throw fail(`stream ${quote(name)} belongs to nothing`);
  }

  function placeOf(name: string): StreamPlace {
    const { start, end } = places.get(name)!;
    // Streams end where the file ends.
    const first = source.byteLength - dataLength;
    return { start: first + start, end: first + end, sha256: String(hashes[name]) };
  }

  async function readStream(name: string): Promise<Uint8Array> {
    const bytes = await file.readBytes(name);
    if (Object.hasOwn(hashes, name) && await sha256(bytes) === hashes[name]) return bytes;
    throw fail(`stream ${quote(name)} does not have its SHA-256`);
  }
}

/** Bytes of the tensors that no level codes. */
export function verbatimByteLength(tensors: readonly StoredTensor[]): number {
  let length = 0;
  for (const { stored, shape } of tensors) {
    if (stored !== undefined) length += elementCount(shape) * bytesPerElement(stored);
  }
  return length;
}
