import { naming } from "../../data/naming.ts";
import { finishWithBreaks } from "../../workers/steps.ts";
import {
  codedTensors,
  type DecodeGroup,
  decodeGroup,
  type NamedTensor,
} from "../file/decode_groups.ts";
import type { StoredTensor } from "../file/tensor_names.ts";
import type { Stage } from "../levels/level.ts";

/** What all groups of a model need to be decoded, beside the streams of their jobs. */
export interface GroupDecoderSetup {
  /** Name of the file, for messages. */
  readonly file: string;
  /** Every tensor of the file. */
  readonly tensors: readonly StoredTensor[];
  /** The levels, without the streams that jobs bring. */
  readonly stages: readonly Stage[];
}

/** A stream of a level. */
export interface LevelStream {
  /** Number of the stage. */
  readonly stage: number;
  /** Number of the level in it. */
  readonly level: number;
  /** Name of the stream in the level. */
  readonly name: string;
  /** Its bytes. */
  readonly bytes: Uint8Array;
}

/** A group of matrices, and the streams that only it and its neighbours need. */
export interface GroupJob {
  readonly group: DecodeGroup;
  readonly streams: readonly LevelStream[];
}

/** Decodes groups, one at a time. */
export type GroupDecoder = (job: GroupJob, signal?: AbortSignal) => Promise<NamedTensor[]>;

/** A decoder that keeps what groups have in common. */
export function createGroupDecoder({ file, tensors, stages }: GroupDecoderSetup): GroupDecoder {
  const coded = codedTensors(tensors);
  const own = stages.map((stage) =>
    stage.map((level) => ({ ...level, streams: new Map(level.streams) }))
  );
  return async ({ group, streams }, signal) => {
    const mapOf = ({ stage, level }: LevelStream) => own[stage]![level]!.streams;
    for (const stream of streams) mapOf(stream).set(stream.name, stream.bytes);
    try {
      const work = () => finishWithBreaks(decodeGroup(own, coded, group), signal);
      return await naming(file, work);
    } finally {
      for (const stream of streams) mapOf(stream).delete(stream.name);
    }
  };
}
