import type { TransformerDescription } from "../architectures/description.ts";
import { expandTriangle, triangleSize } from "../../hierarchy/matrix/triangle.ts";
import {
  sharedFloat32Array,
  sharedFloat64Array,
  sharedInt32Array,
} from "../../workers/shared_array.ts";
import { layerLinears, modelLinears } from "../weights/expected_tensors.ts";
import type { SharedMoments } from "./calibrate_chunks.ts";
import type { Calibration, LinearCalibration } from "./calibration.ts";
import { inputGroups } from "./input_groups.ts";
import { outputBlocks } from "./output_blocks.ts";
import type { PackedCalibration, PackedMoment } from "./packed_calibration.ts";
import type { MomentTriangle } from "./second_moment.ts";

/** Layers from the first to before the second number. */
export type LayerRange = readonly [first: number, end: number];

/**
 * Sums for a model, all 0, in shared memory; with `layers`, of these layers alone, and of head and
 * embedding.
 */
export function allocateMoments(
  model: TransformerDescription,
  backward: boolean,
  type: "float32" | "float64" = "float64",
  layers?: LayerRange,
): SharedMoments {
  const triangle = ({ size }: { readonly size: number }) =>
    type === "float32"
      ? sharedFloat32Array(triangleSize(size))
      : sharedFloat64Array(triangleSize(size));
  const left = layers === undefined ? new Set<string>() : weightsBeside(model, layers);
  const groups = inputGroups(model).filter(({ linears }) => !left.has(linears[0]!.weight));
  const blocks = backward ? outputBlocks(model).filter(({ weight }) => !left.has(weight)) : [];
  return {
    groups,
    triangles: groups.map(triangle),
    energies: sharedFloat64Array(groups.length + 1),
    counts: sharedFloat64Array(groups.length + 1),
    turns: sharedInt32Array(groups.length),
    blocks,
    blockTriangles: blocks.map(triangle),
    blockTurns: sharedInt32Array(blocks.length),
  };
}

/** Weights of the layers that are not in a range. */
function weightsBeside(model: TransformerDescription, [first, end]: LayerRange): Set<string> {
  const others = model.layers.filter((_, index) => index < first || index >= end);
  return new Set(others.flatMap(layerLinears).map(({ weight }) => weight));
}

/** Less energy than any gradient that is not 0 has. */
const LEAST_ENERGY = 1e-300;

/** What a run over a text summed up. */
export interface CalibrationSums {
  readonly model: TransformerDescription;
  readonly chunks: Int32Array;
  readonly contextLength: number;
  readonly moments: SharedMoments;
  /** Σ p (1 - p) of each logit, in parts; none where no backward pass was run. */
  readonly logitSums: readonly Float64Array[];
  /** As in a {@linkcode Calibration}. */
  readonly loss?: number;
}

/** The statistics that sums give; moments are expanded from their triangles when they are asked for. */
export function summarize(
  { model, chunks, contextLength, moments, logitSums, loss }: CalibrationSums,
): Calibration {
  const { groups, triangles } = moments;
  const tokens = chunks.length;
  const mean = (parts: readonly Float64Array[]) => sumInOrder(parts).map((value) => value / tokens);
  const linears = new Map<string, LinearCalibration>();
  for (const { weight, layout } of modelLinears(model)) {
    const index = groups.findIndex(({ linears }) => linears.some((l) => l.weight === weight));
    if (index < 0) continue;
    const { size, linears: sharing } = groups[index]!;
    linears.set(weight, {
      inputAxis: layout === "inputsByOutputs" ? 0 : 1,
      get hessian() {
        return expandTriangle(triangles[index]!, size, inputFactor(moments, index));
      },
      sharedWith: sharing.map((linear) => linear.weight).filter((name) => name !== weight),
      tokens,
      ...(logitSums.length > 0 &&
        (weight === model.head.weight
          ? { fisher: mean(logitSums) }
          : outputStatistics(moments, weight, tokens))),
    });
  }
  const tokenFrequencies = new Float64Array(model.vocabularySize);
  for (const id of chunks) tokenFrequencies[id]! += 1 / tokens;
  return {
    tokens,
    contextLength,
    ...(loss !== undefined && { loss }),
    linears,
    tokenFrequencies,
    ...(logitSums.length > 0 && {
      embeddingMoment: outputStatistics(moments, model.tokenEmbedding, tokens)
        .outputMoments[0]!.moment,
    }),
  };
}

/** The sum of one array or several, added from the first to the last. */
export function sumInOrder(parts: readonly Float64Array[]): Float64Array {
  const total = new Float64Array(parts[0]!.length);
  for (const part of parts) part.forEach((value, i) => total[i]! += value);
  return total;
}

function outputStatistics(
  moments: SharedMoments,
  weight: string,
  tokens: number,
): Required<Pick<LinearCalibration, "fisher" | "outputMoments">> {
  const own = numbersOf(moments, weight).map((number) => ({
    ...moments.blocks[number]!,
    triangle: moments.blockTriangles[number]!,
    factor: outputFactor(moments, number, tokens),
  }));
  const outputMoments = own.map(({ start, size, triangle, factor }) => ({
    start,
    get moment() {
      return expandTriangle(triangle, size, factor);
    },
  }));
  const fisher = own.flatMap(({ size, triangle, factor }) =>
    Array.from({ length: size }, (_, i) => triangle[triangleSize(i + 1) - 1]! * factor)
  );
  return { fisher: Float64Array.from(fisher), outputMoments };
}

/** Makes a group's sum a mean: 1 / Σ e^p. */
function inputFactor({ counts }: SharedMoments, group: number): number {
  return 1 / Math.max(counts[group]!, LEAST_ENERGY);
}

/** Gives the sum of a block the trace of the mean of ∇ ∇ᵀ: Σ e / Σ e^p / tokens. */
function outputFactor(moments: SharedMoments, block: number, tokens: number): number {
  const { groups, blocks, energies } = moments;
  const { weight } = blocks[block]!;
  // The last block is of the embedding, which may be the head's weight as well.
  const index = block === blocks.length - 1
    ? groups.length
    : groups.findIndex(({ linears }) => linears.some((linear) => linear.weight === weight));
  return energies[index]! * inputFactor(moments, index) / tokens;
}

/**
 * As packing what {@linkcode summarize} gives, but in the memory of the sums where they are in float32;
 * others are given up one by one.
 */
export function packSums(sums: CalibrationSums): PackedCalibration {
  const { linears, embeddingMoment, ...rest } = summarize(sums);
  const { model, chunks, moments } = sums;
  const { groups, blocks } = moments;
  const packed: PackedMoment[] = [];
  const pack = (size: number, triangles: readonly MomentTriangle[], at: number, factor: number) => {
    const triangle = scaled(triangles[at]!, factor);
    (triangles as MomentTriangle[])[at] = triangle;
    return packed.push({ size, triangle }) - 1;
  };
  const packBlock = (at: number) =>
    pack(
      blocks[at]!.size,
      moments.blockTriangles,
      at,
      outputFactor(moments, at, chunks.length),
    );
  const places = new Map<number, number>();
  const packGroup = (group: number) => {
    const place = pack(
      groups[group]!.size,
      moments.triangles,
      group,
      inputFactor(moments, group),
    );
    places.set(group, place);
    return place;
  };
  const packedLinears = Array.from(linears, ([weight, { inputAxis, fisher, outputMoments }]) => {
    const group = groups.findIndex(({ linears }) => linears.some((l) => l.weight === weight));
    const ofWeight = outputMoments === undefined ? [] : numbersOf(moments, weight);
    return {
      weight,
      moment: places.get(group) ?? packGroup(group),
      inputAxis,
      ...(fisher !== undefined && { fisher }),
      ...(outputMoments !== undefined && {
        outputMoments: ofWeight.map((at) => ({ start: blocks[at]!.start, moment: packBlock(at) })),
      }),
    };
  });
  return {
    ...rest,
    linears: packedLinears,
    ...(embeddingMoment !== undefined && {
      embeddingMoment: packBlock(numbersOf(moments, model.tokenEmbedding)[0]!),
    }),
    moments: packed,
  };
}

/** Numbers of the blocks of a weight. */
function numbersOf({ blocks }: SharedMoments, weight: string): number[] {
  return blocks.flatMap((block, number) => block.weight === weight ? [number] : []);
}

/** The values times a factor, rounded to float32: in place where they are in float32. */
function scaled(triangle: MomentTriangle, factor: number): Float32Array {
  const result = triangle instanceof Float32Array ? triangle : new Float32Array(triangle.length);
  for (let i = 0; i < triangle.length; i++) result[i] = triangle[i]! * factor;
  return result;
}
