import type { ByteSource } from "../../data/byte_source.ts";
import { naming } from "../../data/naming.ts";
import { joinBytes, safetensorsParts } from "../../data/safetensors_encode.ts";
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

/** Whether only readers of the newest version know what is in a level. */
function isOfNewestVersion({ streams, parameters }: EncodedLevel): boolean {
  return streams.has(GAINS) || Number(parameters.states ?? 0) > PLAIN_STATES;
}

/** The bytes of the file; the same container gives the same bytes. */
export async function encodeContainer(container: Container): Promise<Uint8Array> {
  return joinBytes(await containerParts(container));
}

/** The bytes of {@linkcode encodeContainer} in parts one after another, which are not copied. */
export async function containerParts(container: Container): Promise<Uint8Array[]> {
  const streams = new Map<string, Uint8Array>();
  if (container.verbatim.length > 0) streams.set(VERBATIM, container.verbatim);
  const stages = container.stages.map((stage, i) =>
    stage.map(({ kind, parameters, streams: own }, j): LevelRow => {
      for (const [name, bytes] of own) streams.set(streamName(i, j, name), bytes);
      return { kind, parameters, streams: [...own.keys()] };
    })
  );
  const hashes: Record<string, string> = {};
  for (const [name, bytes] of streams) hashes[name] = await sha256(bytes);
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
  const entries = [...streams].map(([name, bytes]) => ({
    name,
    dtype: "U8" as const,
    shape: [bytes.length],
    bytes,
  }));
  return safetensorsParts(entries, metadata);
}

/**
 * Reads a compressed model, and checks every hash and that its levels can be those of its tensors,
 * without decoding them. Throws {@linkcode InputError} that names the file and what is wrong with it.
 */
export async function openContainer(source: ByteSource): Promise<Container> {
  const { description, levels, readStream, readVerbatim } = await readContainerHeader(source);
  const stages: EncodedLevel[][] = [];
  for (const [i, rows] of levels.entries()) {
    const stage: EncodedLevel[] = [];
    for (const [j, { kind, parameters, streams: names }] of rows.entries()) {
      const streams = new Map<string, Uint8Array>();
      for (const name of names) streams.set(name, await readStream(streamName(i, j, name)));
      stage.push({ kind, parameters, streams });
    }
    stages.push(stage);
  }
  const verbatim = await readVerbatim();
  naming(source.name, () => checkStages(description.tensors, stages));
  return { ...description, stages, verbatim };
}
