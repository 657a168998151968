import { InputError } from "../../data/input_error.ts";
import { releaseMemory } from "../../data/release_memory.ts";
import type { EncodedLevel, Stage } from "./level.ts";
import { autoencoderCodec } from "./autoencoder_codec.ts";
import { fieldCodec } from "./field_level.ts";
import type { WantedParts } from "../matrix/matrix_part.ts";
import type { Matrices, MatrixShape } from "../matrix/matrix.ts";
import type { RowColumnFactors } from "../matrix/coded_matrix.ts";
import type { LevelCodec } from "./level_codec.ts";
import { trellisCodec } from "./trellis_codec.ts";
import { quote } from "../../data/quote.ts";
import { bytesOfStreams } from "./stream_lengths.ts";
import type { Steps } from "../../workers/steps.ts";

/** Every kind of level that a file may have. */
const CODECS: ReadonlyMap<string, LevelCodec> = new Map(
  [autoencoderCodec, fieldCodec, trellisCodec].map((codec) => [codec.kind, codec]),
);

/** The codec of a kind of level; throws {@linkcode InputError} for an unknown kind. */
export function codecOf({ kind }: EncodedLevel): LevelCodec {
  const codec = CODECS.get(kind);
  if (codec !== undefined) return codec;
  const known = [...CODECS.keys()].join(", ");
  throw new InputError(
    `level ${quote(kind)} is of a kind that this kanpress does not know (${known})`,
  );
}

/** The matrices that each level codes, given those of the first. */
export function levelShapes(
  levels: readonly EncodedLevel[],
  first: readonly MatrixShape[],
): (readonly MatrixShape[])[] {
  const shapes = [first];
  for (const level of levels.slice(0, -1)) {
    shapes.push(codecOf(level).outputShapes(level, shapes.at(-1)!));
  }
  return shapes;
}

/** Decodes one stage, from its last level to its first; with `wanted`, these parts only. */
export function* decodeStage(
  stage: Stage,
  first: readonly MatrixShape[],
  wanted?: WantedParts,
): Steps<Matrices> {
  const shapes = levelShapes(stage, first);
  let output: Matrices = [];
  for (const [i, level] of [...stage.entries()].reverse()) {
    const matrices = yield* codecOf(level).decode(level, output, shapes[i]!, wanted);
    const kept = new Set(matrices.map(({ data }) => data.buffer));
    for (const { data } of output) if (!kept.has(data.buffer)) releaseMemory(data);
    output = matrices;
  }
  return output;
}

/** How matrices are coded whose every value is a whole number times two factors. */
export interface CodedForm {
  /** What the numbers are multiplied by, a matrix each. */
  readonly factors: readonly RowColumnFactors[];
  /** Decodes the wanted numbers. */
  integers(wanted?: WantedParts): Steps<Matrices>;
}

/** The whole numbers and factors that stages are made of; undefined where they are of another form. */
export function codedForm(
  stages: readonly Stage[],
  first: readonly MatrixShape[],
): CodedForm | undefined {
  const [stage] = stages;
  if (stages.length !== 1 || stage?.length !== 2) return undefined;
  const [outer, inner] = stage as [EncodedLevel, EncodedLevel];
  const { givesIntegers, decode } = codecOf(inner);
  const factors = givesIntegers ? codecOf(outer).factors?.(outer, first) : undefined;
  if (factors === undefined) return undefined;
  const shapes = levelShapes(stage, first)[1]!;
  return { factors, integers: (wanted) => decode(inner, [], shapes, wanted) };
}

/** Decodes all stages and adds up what they give; with `wanted`, these parts only. */
export function* decodeStages(
  stages: readonly Stage[],
  first: readonly MatrixShape[],
  wanted?: WantedParts,
): Steps<Matrices> {
  let sum: Matrices = [];
  for (const [i, stage] of stages.entries()) {
    const matrices = yield* decodeStage(stage, first, wanted);
    if (i === 0) sum = matrices;
    else matrices.forEach(({ data }, at) => addTo(sum[at]!.data, data));
  }
  return sum;
}

function addTo(sum: Float32Array, data: Float32Array): void {
  for (let i = 0; i < sum.length; i++) sum[i] = sum[i]! + data[i]!;
}

/** Bytes of a level's streams. */
export function levelBytes({ streams }: EncodedLevel): number {
  return bytesOfStreams(streams);
}
