import { InputError } from "../../data/input_error.ts";
import { letGo } from "../../data/let_go.ts";
import type { EncodedLevel, Stage } from "./level.ts";
import { autoencoderCodec } from "./autoencoder_codec.ts";
import { fieldCodec } from "./field_level.ts";
import type { WantedParts } from "../matrix/matrix_part.ts";
import type { Matrix, MatrixShape, Signal } from "../matrix/matrix.ts";
import type { LevelCodec } from "./level_codec.ts";
import { trellisCodec } from "./trellis_level.ts";

/** Every kind of level that a file may have. */
const CODECS: ReadonlyMap<string, LevelCodec> = new Map(
  [autoencoderCodec, fieldCodec, trellisCodec].map((codec) => [codec.kind, codec]),
);

/** The codec of a kind of level; throws {@linkcode InputError} for an unknown kind. */
export function codecOf({ kind }: EncodedLevel): LevelCodec {
  const codec = CODECS.get(kind);
  if (codec !== undefined) return codec;
  const known = [...CODECS.keys()].join(", ");
  throw new InputError(`level ${kind} is of a kind that this kanpress does not know (${known})`);
}

/** The matrices that each level codes, given those of the first. */
export function levelShapes(
  levels: readonly EncodedLevel[],
  first: readonly MatrixShape[],
): (readonly MatrixShape[])[] {
  const shapes = [first];
  for (const level of levels.slice(0, -1)) {
    shapes.push(codecOf(level).handsOnShapes(level, shapes.at(-1)!));
  }
  return shapes;
}

/** Decodes one stage, from its last level to its first; with `wanted`, these parts only. */
export function decodeStage(
  stage: Stage,
  first: readonly MatrixShape[],
  wanted?: WantedParts,
): Signal {
  const shapes = levelShapes(stage, first);
  return stage.reduceRight<Signal>((handedOn, level, i) => {
    const signal = codecOf(level).decode(level, handedOn, shapes[i]!, wanted);
    const kept = new Set(signal.map(({ data }) => data.buffer));
    for (const { data } of handedOn) if (!kept.has(data.buffer)) letGo(data);
    return signal;
  }, []);
}

/** Decodes all stages and adds up what they give; with `wanted`, these parts only. */
export function decodeStages(
  stages: readonly Stage[],
  first: readonly MatrixShape[],
  wanted?: WantedParts,
): Signal {
  const signals = stages.map((stage) => decodeStage(stage, first, wanted));
  const sum = signals[0] ?? first.map((shape) => zeroMatrix(shape));
  for (const signal of signals.slice(1)) {
    signal.forEach(({ data }, i) => {
      const target = sum[i]!.data;
      for (let j = 0; j < target.length; j++) target[j] = target[j]! + data[j]!;
    });
  }
  return sum;
}

function zeroMatrix(shape: MatrixShape): Matrix {
  return { ...shape, data: new Float32Array(shape.rows * shape.columns) };
}

/** Bytes of a level's streams. */
export function levelBytes({ streams }: EncodedLevel): number {
  let bytes = 0;
  for (const stream of streams.values()) bytes += stream.length;
  return bytes;
}
