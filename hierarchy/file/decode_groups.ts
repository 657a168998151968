import type { Container } from "./container.ts";
import type { EncodedLevel, Stage } from "../levels/level.ts";
import { codecOf } from "../levels/level_codecs.ts";
import type { WantedParts } from "../matrix/matrix_part.ts";
import type { MatrixShape } from "../matrix/matrix.ts";

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

/** Matrices that are decoded at once. */
export interface DecodeGroup {
  /** Their numbers. */
  readonly matrices: readonly number[];
  /** What to ask of decoders; absent where they decode all matrices together. */
  readonly wanted?: WantedParts;
}

/**
 * Divides matrices, in order, into groups that are decoded at once, so that what decoding needs
 * beside its result stays small; all of them in one group where a level codes them together.
 */
export function decodeGroups(
  stages: readonly Stage[],
  shapes: readonly MatrixShape[],
): DecodeGroup[] {
  if (inseparableLevel(stages) !== undefined) return [{ matrices: [...shapes.keys()] }];
  const groups: number[][] = [];
  let values = Infinity;
  shapes.forEach(({ rows, columns }, matrix) => {
    values += rows * columns;
    if (values > GROUP_VALUES) {
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
