import { releaseMemory } from "../../data/release_memory.ts";
import type { WeightTensor } from "../../data/tensor.ts";
import { transpose } from "../../data/transpose.ts";
import type { Steps } from "../../workers/steps.ts";
import type { Container } from "./container.ts";
import type { EncodedLevel, Stage } from "../levels/level.ts";
import { codecOf, decodeStages } from "../levels/level_codecs.ts";
import { matrixShape } from "./plan_tensors.ts";
import { requireFinite } from "./require_finite.ts";
import type { StoredTensor } from "./tensor_names.ts";
import type { WantedParts } from "../matrix/matrix_part.ts";
import type { MatrixShape } from "../matrix/matrix.ts";
import { type BlockPlace, planBlocks } from "../matrix/matrix_blocks.ts";

/** Values of matrices that are decoded together, unless one matrix alone has more. */
const GROUP_VALUES = 1 << 22;

/** A level that codes all matrices together, so that none can be decoded alone, if there is one. */
export function inseparableLevel(stages: readonly Stage[]): EncodedLevel | undefined {
  return stages.flat().find((level) => codecOf(level).decodesApart !== true);
}

/** Whether every tensor of a compressed model can be decoded alone. */
export function decodesApart({ stages }: Container): boolean {
  return inseparableLevel(stages) === undefined;
}

/** {@linkcode decodeBlocks} of which each part is some rows of a tensor. */
export function decodeRows(
  stages: readonly Stage[],
  { tensors, shapes }: CodedTensors,
  blockValues?: number,
): DecodeGroup[] {
  const isTransposed = (matrix: number) => tensors[matrix]!.transposed === true;
  return decodeBlocks(stages, shapes, isTransposed, blockValues);
}

/**
 * Groups of {@linkcode decodeGroups} whose large matrices are cut further, by rows or, where
 * `transposed`, by columns: each group is then of one part of one matrix.
 */
export function decodeBlocks(
  stages: readonly Stage[],
  shapes: readonly MatrixShape[],
  isTransposed: (matrix: number) => boolean,
  blockValues: number = DECODED_BLOCK,
): DecodeGroup[] {
  const groupValues = Math.min(GROUP_VALUES, blockValues);
  return decodeGroups(stages, shapes, groupValues).flatMap((group) => {
    const [matrix] = group.matrices;
    if (group.wanted === undefined || group.matrices.length > 1) return [group];
    const places = planBlocks(shapes[matrix!]!, isTransposed(matrix!), blockValues);
    if (places.length === 1) return [group];
    return places.map((place) => ({
      matrices: group.matrices,
      wanted: new Map([[matrix!, {
        ...(place.columns === shapes[matrix!]!.columns
          ? { rows: numbersFrom(place.row, place.rows) }
          : { columns: numbersFrom(place.column, place.columns) }),
      }]]),
      place,
    }));
  });
}

/**
 * Values of a part that is decoded at once. What codes it codes what is beside it too: smaller parts
 * take more time.
 */
const DECODED_BLOCK = 2 ** 24;

function numbersFrom(first: number, count: number): Int32Array {
  return Int32Array.from({ length: count }, (_, i) => first + i);
}

/** Matrices that are decoded at once. */
export interface DecodeGroup {
  /** Their numbers. */
  readonly matrices: readonly number[];
  /** What to ask of decoders; absent where they decode all matrices together. */
  readonly wanted?: WantedParts;
  /** Which part of the one matrix they are asked for, if not for all of it. */
  readonly place?: BlockPlace;
}

/**
 * Divides matrices, in order, into groups that are decoded at once, of at most `groupValues` values
 * or one matrix, so that what decoding needs beside its result stays small; all of them in one group where a level codes them together.
 */
export function decodeGroups(
  stages: readonly Stage[],
  shapes: readonly MatrixShape[],
  groupValues: number = GROUP_VALUES,
): DecodeGroup[] {
  if (inseparableLevel(stages) !== undefined) return [{ matrices: [...shapes.keys()] }];
  const groups: number[][] = [];
  let values = Infinity;
  shapes.forEach(({ rows, columns }, matrix) => {
    values += rows * columns;
    if (values > groupValues) {
      groups.push([]);
      values = rows * columns;
    }
    groups.at(-1)!.push(matrix);
  });
  return groups.map((matrices) => ({
    matrices,
    wanted: new Map(matrices.map((matrix) => [matrix, {}])),
  }));
}

/** A tensor with its name. */
export type NamedTensor = readonly [name: string, tensor: WeightTensor];

/** The tensors that levels code, in order, and the shapes in which they do. */
export interface CodedTensors {
  readonly tensors: readonly StoredTensor[];
  readonly shapes: readonly MatrixShape[];
}

/** Picks the tensors that levels code. */
export function codedTensors(stored: readonly StoredTensor[]): CodedTensors {
  const tensors = stored.filter((tensor) => tensor.stored === undefined);
  return { tensors, shapes: tensors.map(matrixShape) };
}

/** Decodes the tensors of a group, or some rows of one; throws {@linkcode InputError} where one is not finite. */
export function* decodeGroup(
  stages: readonly Stage[],
  { tensors, shapes }: CodedTensors,
  { matrices, wanted, place }: DecodeGroup,
): Steps<NamedTensor[]> {
  const decoded = yield* decodeStages(stages, shapes, wanted);
  const named: NamedTensor[] = [];
  for (const matrix of matrices) {
    yield;
    const { name, dtype, shape, transposed } = tensors[matrix]!;
    const { data, rows, columns } = decoded[matrix]!;
    requireFinite(name, data);
    const values = transposed ? transpose(data, rows, columns) : data;
    if (transposed) releaseMemory(data);
    const first = transposed ? columns : rows;
    const part = place === undefined ? shape : [first, ...shape.slice(1)];
    named.push([name, { dtype, shape: part, data: values }]);
  }
  return named;
}
