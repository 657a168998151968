import { fromHex, toBase64 } from "../../data/base64.ts";
import type { ByteSource } from "../../data/byte_source.ts";
import { byteLengthOf, bytesOf, isFileArray, type KeptBytes } from "../../data/file_array.ts";
import { naming } from "../../data/naming.ts";
import { encodeHeader, joinBytes } from "../../data/safetensors_encode.ts";
import { keptParts } from "../../data/parts_in_file.ts";
import { releaseMemory } from "../../data/release_memory.ts";
import { sha256 } from "../../data/sha256.ts";
import { FORMAT_NAME, FORMAT_VERSION, PLAIN_STATES, PLAIN_VERSION } from "../format/constants.ts";
import { KANPRESS_VERSION } from "../format/version.ts";
import { GAINS } from "../levels/field_gains.ts";
import type { EncodedLevel, Stage } from "../levels/level.ts";
import { checkStages } from "./check_stages.ts";
import {
  type ContainerDescription,
  headerChecksum,
  readContainerHeader,
  streamName,
  type StreamPlace,
  VERBATIM,
} from "./container_header.ts";
import type { LevelRow } from "./container_rows.ts";
import { foldTensors } from "./tensor_names.ts";

/**
 * What a `.kan.safetensors` file holds. The file is a valid safetensors file: every code stream is a
 * U8 tensor, everything else JSON in its metadata.
 */
export interface Container extends ContainerDescription {
  /** Hierarchies whose decoded matrices add up to the weights; each lists its outermost level first. */
  readonly stages: readonly Stage[];
  /** Bytes of the tensors that no level codes, one after the other. */
  readonly verbatim: Uint8Array;
}

/** Bytes of the largest files whose streams are in memory. */
const MOST_IN_MEMORY = 2 ** 26;

/** How a container is opened. */
export interface OpenOptions {
  /** Bytes of the largest files whose streams are in memory; 2^26 if omitted. */
  readonly mostInMemory?: number;
}

/** Whether only readers of the newest version know what is in a level. */
function isOfNewestVersion({ streams, parameters }: EncodedLevel): boolean {
  return streams.has(GAINS) || Number(parameters.states ?? 0) > PLAIN_STATES;
}

/** The bytes of the file; the same container gives the same bytes. */
export async function encodeContainer(container: Container): Promise<Uint8Array> {
  return joinBytes((await containerParts(container)).map(bytesOf));
}

/**
 * The bytes of {@linkcode encodeContainer} in parts one after another, which are not copied, nor read
 * where they are in files.
 */
export async function containerParts(container: Container): Promise<KeptBytes[]> {
  const streams = new Map<string, KeptBytes>();
  if (container.verbatim.length > 0) streams.set(VERBATIM, container.verbatim);
  const stages = container.stages.map((stage, i) =>
    stage.map(({ kind, parameters, streams: own }, j): LevelRow => {
      for (const [name, kept] of keptParts(own)) streams.set(streamName(i, j, name), kept);
      return { kind, parameters, streams: [...own.keys()] };
    })
  );
  const hashes: Record<string, string> = {};
  for (const [name, kept] of streams) {
    hashes[name] = isFileArray(kept) ? toBase64(fromHex(kept.sha256)) : await sha256(kept);
  }
  const { tensors, aliases, config, source, sourceSha256 } = container;
  const metadata: Record<string, string> = {
    format: FORMAT_NAME,
    version: container.stages.flat().some(isOfNewestVersion) ? FORMAT_VERSION : PLAIN_VERSION,
    writer: `kanpress ${KANPRESS_VERSION}`,
    tensors: JSON.stringify(foldTensors(tensors)),
    ...(aliases.size === 0 ? {} : { aliases: JSON.stringify(Object.fromEntries(aliases)) }),
    stages: JSON.stringify(stages),
    ...(config === undefined ? {} : { config: JSON.stringify(config) }),
    ...(source === undefined ? {} : { source }),
    ...(sourceSha256 === undefined ? {} : { sourceSha256 }),
    sha256: JSON.stringify(hashes),
  };
  metadata.checksum = await headerChecksum(metadata);
  const entries = Array.from(streams, ([name, kept]) => ({
    name,
    dtype: "U8" as const,
    shape: [byteLengthOf(kept)],
  }));
  return [encodeHeader(entries, metadata), ...streams.values()];
}

/**
 * Reads a compressed model, and checks every hash and that its levels can be those of its tensors,
 * without decoding them. Streams of a large file stay there and are read again when they are wanted.
 * Throws {@linkcode InputError} that names the file and what is wrong with it.
 */
export async function openContainer(
  source: ByteSource,
  { mostInMemory = MOST_IN_MEMORY }: OpenOptions = {},
): Promise<Container> {
  const { description, levels, readStream, placeOf, readVerbatim } = await readContainerHeader(
    source,
  );
  const { readParts } = source;
  const staysInFile = readParts !== undefined && source.byteLength > mostInMemory;
  const stages: EncodedLevel[][] = [];
  for (const [i, rows] of levels.entries()) {
    const stage: EncodedLevel[] = [];
    for (const [j, { kind, parameters, streams: names }] of rows.entries()) {
      const streams = new Map<string, Uint8Array>();
      const places = new Map<string, StreamPlace>();
      for (const name of names) {
        const bytes = await readStream(streamName(i, j, name));
        if (staysInFile) {
          places.set(name, placeOf(streamName(i, j, name)));
          releaseMemory(bytes);
        } else streams.set(name, bytes);
      }
      stage.push({ kind, parameters, streams: staysInFile ? readParts(places) : streams });
    }
    stages.push(stage);
  }
  const verbatim = await readVerbatim();
  naming(source.name, () => checkStages(description.tensors, stages));
  return { ...description, stages, verbatim };
}
