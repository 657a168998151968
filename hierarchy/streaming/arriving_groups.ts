import type { ByteSource } from "../../data/byte_source.ts";
import { greatest } from "../../data/extremes.ts";
import { naming } from "../../data/naming.ts";
import { checkStages } from "../file/check_stages.ts";
import {
  type ContainerDescription,
  type ContainerHeader,
  readContainerHeader,
  streamName,
} from "../file/container_header.ts";
import {
  type CodedTensors,
  codedTensors,
  type DecodeGroup,
  decodeGroups,
  type NamedTensor,
} from "../file/decode_groups.ts";
import { decodeVerbatimTensors } from "../file/verbatim_tensors.ts";
import type { EncodedLevel, Stage } from "../levels/level.ts";
import { codecOf, type CodedForm, codedForm, levelShapes } from "../levels/level_codecs.ts";
import type { RowColumnFactors } from "../matrix/coded_matrix.ts";
import type { MatrixShape } from "../matrix/matrix.ts";
import type { GroupDecoderSetup, GroupJob, LevelStream } from "./group_decoder.ts";

/**
 * Values of a group: a layer or less of most models. Streams that two groups share are decoded twice,
 * which costs little where groups are several times as long as streams.
 */
const GROUP_VALUES = 1 << 20;

/** A compressed model of which the streams that divide matrices are still on their way. */
export interface ArrivingGroups {
  /** What its header says. */
  readonly description: ContainerDescription;
  /** The tensors that no level codes. */
  readonly verbatim: readonly NamedTensor[];
  /** What decoding needs beside the jobs. */
  readonly setup: GroupDecoderSetup;
  /** What the whole numbers of a tensor are multiplied by, where it is made of such. */
  factorsOf(name: string): RowColumnFactors | undefined;
  /** One for each group of matrices, in order; each is there as soon as its bytes are. */
  readonly jobs: readonly Promise<GroupJob>[];
}

/**
 * Reads a compressed model as far as all groups need it, and goes on reading group by group. Throws
 * {@linkcode InputError} as `openContainer` does; a job rejects where one of its streams is damaged.
 */
export async function openArrivingGroups(source: ByteSource): Promise<ArrivingGroups> {
  const header = await readContainerHeader(source);
  const { description } = header;
  const stages = await readUndivided(header);
  naming(source.name, () => checkStages(description.tensors, withPlaceholders(stages, header)));
  const coded = codedTensors(description.tensors);
  const kept = decodeVerbatimTensors(description.tensors, await header.readVerbatim());
  const read = rememberReads(header);
  const shapes = stages.map((stage) => levelShapes(stage, coded.shapes));
  const jobs = decodeGroups(stages, coded.shapes, GROUP_VALUES).map(
    async (group): Promise<GroupJob> => {
      const streams = divided(stages, shapes, group).map(async (place): Promise<LevelStream> => {
        const { stage, level, name } = place;
        return { ...place, bytes: await read(streamName(stage, level, name)) };
      });
      return { group, streams: await Promise.all(streams) };
    },
  );
  // Whoever awaits a job hears of its failure; nobody may have begun to when the first one fails.
  for (const job of jobs) job.catch(() => {});
  const setup = { file: source.name, tensors: description.tensors, stages };
  const factorsOf = factorsByName(codedForm(stages, coded.shapes), coded);
  return { description, verbatim: [...kept], factorsOf, setup, jobs };
}

function factorsByName(
  form: CodedForm | undefined,
  { tensors }: CodedTensors,
): ArrivingGroups["factorsOf"] {
  const numbers = new Map(tensors.map(({ name }, number) => [name, number]));
  return (name) => {
    const number = numbers.get(name);
    const factors = number === undefined ? undefined : form?.factors[number];
    if (factors === undefined) return undefined;
    const { rows, columns } = factors;
    return tensors[number!]!.transposed ? { rows: columns, columns: rows } : factors;
  };
}

/** The levels with the streams that every group needs. */
async function readUndivided({ levels, readStream }: ContainerHeader): Promise<EncodedLevel[][]> {
  const stages: EncodedLevel[][] = [];
  for (const [i, rows] of levels.entries()) {
    const stage: EncodedLevel[] = [];
    for (const [j, { kind, parameters, streams: names }] of rows.entries()) {
      const level = { kind, parameters, streams: new Map<string, Uint8Array>() };
      for (const name of names) {
        if (isDivided(level, name)) continue;
        level.streams.set(name, await readStream(streamName(i, j, name)));
      }
      stage.push(level);
    }
    stages.push(stage);
  }
  return stages;
}

function isDivided(level: EncodedLevel, name: string): boolean {
  return codecOf(level).dividedStreams?.has(name) === true;
}

/** The levels with streams as long as those that are on their way: as much as checks look at. */
function withPlaceholders(
  stages: readonly Stage[],
  { levels, streamLengths }: ContainerHeader,
): Stage[] {
  const zeros = new Uint8Array(greatest([0, ...streamLengths.values()]));
  return stages.map((stage, i) =>
    stage.map((level, j) => ({
      ...level,
      streams: new Map(levels[i]![j]!.streams.map((name) => {
        const length = streamLengths.get(streamName(i, j, name))!;
        return [name, level.streams.get(name) ?? zeros.subarray(0, length)];
      })),
    }))
  );
}

/** The divided streams that a group needs. */
function divided(
  stages: readonly Stage[],
  shapes: readonly (readonly (readonly MatrixShape[])[])[],
  { wanted }: DecodeGroup,
): Omit<LevelStream, "bytes">[] {
  return stages.flatMap((levels, stage) =>
    levels.flatMap((encoded, level) =>
      (codecOf(encoded).dividedStreams?.neededFor(shapes[stage]![level]!, wanted) ?? [])
        .map((name) => ({ stage, level, name }))
    )
  );
}

/** Reads each stream once, though neighbours share some. */
function rememberReads({ readStream }: ContainerHeader): (name: string) => Promise<Uint8Array> {
  const reads = new Map<string, Promise<Uint8Array>>();
  return (name) => {
    let read = reads.get(name);
    if (read === undefined) reads.set(name, read = readStream(name));
    return read;
  };
}
