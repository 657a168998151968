import type { EncodedLevel, Stage } from "../levels/level.ts";
import { FORMAT_NAME, FORMAT_VERSION } from "../format/constants.ts";
import { KANPRESS_VERSION, versionProblem } from "../format/version.ts";
import type { ByteSource } from "../../data/byte_source.ts";
import { bytesPerElement } from "../../data/dtype.ts";
import { InputError } from "../../data/input_error.ts";
import { encodeSafetensors } from "../../data/safetensors_encode.ts";
import { openSafetensors, type SafetensorsFile } from "../../data/safetensors_file.ts";
import { elementCount } from "../../data/tensor.ts";
import { foldTensors, type StoredTensor } from "./tensor_names.ts";
import { naming } from "../../data/naming.ts";
import { sha256, sha256OfJson } from "../../data/sha256.ts";
import { quote } from "../../data/quote.ts";
import { checkStages } from "./check_stages.ts";
import {
  type Fail,
  type LevelRow,
  parseAliases,
  parseObject,
  parseStages,
  parseTensors,
} from "./container_rows.ts";

/**
 * What a `.kan.safetensors` file holds. The file is a valid safetensors file: every code stream is a
 * U8 tensor, everything else JSON in its metadata.
 */
export interface Container {
  /** Every stored tensor, in the order in which values are coded. */
  readonly tensors: readonly StoredTensor[];
  /** Tied tensors: the name of the tensor that holds the values, by name. */
  readonly aliases: ReadonlyMap<string, string>;
  /** Hierarchies whose decoded signals add up to the weights; each lists its outermost level first. */
  readonly stages: readonly Stage[];
  /** Bytes of the tensors that no level codes, one after the other. */
  readonly verbatim: Uint8Array;
  /** The model's config.json, where it is known. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Name of the model that was compressed. */
  readonly source?: string;
  /** `weightsDigest` of the model that was compressed: by it an original is known again. */
  readonly sourceSha256?: string;
  /** Name of the file that it was read from, for messages. */
  readonly file?: string;
}

/** The bytes of the file; the same container gives the same bytes. */
export async function encodeContainer(container: Container): Promise<Uint8Array> {
  const streams = new Map<string, Uint8Array>();
  if (container.verbatim.length > 0) streams.set("exact", container.verbatim);
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
    version: FORMAT_VERSION,
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
  return encodeSafetensors(entries, metadata);
}

function streamName(stage: number, level: number, name: string): string {
  return `${stage}.${level}.${name}`;
}

/** SHA-256 of the metadata but for the checksum itself: a flipped bit in the header shows here. */
async function headerChecksum(metadata: Readonly<Record<string, string>>): Promise<string> {
  const entries = Object.entries(metadata).filter(([key]) => key !== "checksum").sort();
  return await sha256OfJson(entries);
}

/** Whether a safetensors file's metadata is that of a compressed model. */
export function isContainer(metadata: Readonly<Record<string, string>>): boolean {
  return metadata.format === FORMAT_NAME;
}

/**
 * Reads a compressed model, and checks every hash and that its levels can be those of its tensors,
 * without decoding them. Throws {@linkcode InputError} that names the file and what is wrong with it.
 */
export async function openContainer(source: ByteSource): Promise<Container> {
  const file = await openSafetensors(source);
  const fail = (what: string) => new InputError(`${source.name}: ${what}`);
  const { metadata } = file;
  if (!isContainer(metadata)) {
    throw fail("is not a compressed model (its metadata lacks format kanpress); compress it first");
  }
  const otherVersion = versionProblem(metadata.version, metadata.writer);
  if (otherVersion !== undefined) throw fail(otherVersion);
  if (metadata.checksum !== await headerChecksum(metadata)) {
    throw fail("its header is damaged (checksum mismatch); copy or compress it again");
  }
  const container = { ...await readChecked(file, source.name), file: source.name };
  naming(source.name, () => checkStages(container.tensors, container.stages));
  return container;
}

async function readChecked(file: SafetensorsFile, name: string): Promise<Container> {
  const { metadata } = file;
  const fail = (what: string) =>
    new InputError(`${name}: ${what}; the file is damaged, compress the model again`);
  const tensors = parseTensors(metadata.tensors, fail);
  const aliases = parseAliases(metadata.aliases, tensors, fail);
  const config = metadata.config === undefined
    ? undefined
    : parseObject(metadata.config, "config", fail);
  const stages = await readStreams(file, tensors, fail);
  return {
    tensors,
    aliases,
    ...stages,
    ...(config === undefined ? {} : { config }),
    ...(metadata.source === undefined ? {} : { source: metadata.source }),
    ...(metadata.sourceSha256 === undefined ? {} : { sourceSha256: metadata.sourceSha256 }),
  };
}

/** Reads every stream, once, and checks that the file has no others. */
async function readStreams(
  file: SafetensorsFile,
  tensors: readonly StoredTensor[],
  fail: Fail,
): Promise<Pick<Container, "stages" | "verbatim">> {
  const hashes = parseObject(file.metadata.sha256, "sha256", fail);
  const unread = new Set(file.tensors.map(({ name }) => name));
  const read = async (name: string) => {
    if (!unread.delete(name)) throw fail(`lacks stream ${quote(name)}`);
    const bytes = await file.readBytes(name);
    if (!Object.hasOwn(hashes, name) || await sha256(bytes) !== hashes[name]) {
      throw fail(`stream ${quote(name)} does not have its SHA-256`);
    }
    return bytes;
  };
  const stages: EncodedLevel[][] = [];
  for (const [i, rows] of parseStages(file.metadata.stages, fail).entries()) {
    const stage: EncodedLevel[] = [];
    for (const [j, { kind, parameters, streams: names }] of rows.entries()) {
      const streams = new Map<string, Uint8Array>();
      for (const name of names) streams.set(name, await read(streamName(i, j, name)));
      stage.push({ kind, parameters, streams });
    }
    stages.push(stage);
  }
  const verbatimLength = verbatimByteLength(tensors);
  const verbatim = verbatimLength > 0 ? await read("exact") : new Uint8Array();
  if (verbatim.length !== verbatimLength) {
    throw fail(
      `stream "exact" has ${verbatim.length} bytes, but its tensors need ${verbatimLength}`,
    );
  }
  for (const name of unread) throw fail(`stream ${quote(name)} belongs to nothing`);
  return { stages, verbatim };
}

/** Bytes of the stream `exact`. */
export function verbatimByteLength(tensors: readonly StoredTensor[]): number {
  let length = 0;
  for (const { stored, shape } of tensors) {
    if (stored !== undefined) length += elementCount(shape) * bytesPerElement(stored);
  }
  return length;
}
