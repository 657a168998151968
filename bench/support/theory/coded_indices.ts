import { memorySource } from "../../../data/mod.ts";
import { putIntegers } from "../../../hierarchy/entropy/integer_vector.ts";
import { RansEncoder } from "../../../hierarchy/entropy/rans.ts";
import type { RowColumnScales } from "../../../hierarchy/entropy/row_column_scales.ts";
import { openContainer } from "../../../hierarchy/file/container.ts";
import { codedShapes } from "../../../hierarchy/file/plan_tensors.ts";
import { levelShapes } from "../../../hierarchy/levels/level_codecs.ts";
import { decodeIndices, decodeTrellis } from "../../../hierarchy/levels/trellis_codec.ts";
import type { MatrixShape } from "../../../hierarchy/matrix/matrix.ts";
import { forEachDiagonal } from "../../../hierarchy/scan/pieces.ts";
import type { Trellis } from "../../../hierarchy/scan/trellis.ts";

/** Indices in the order of the code, and what they stand for, row-major, that scales are fit to. */
export interface Coded extends MatrixShape {
  readonly indices: Int32Array;
  readonly levels: Float32Array;
}

/** All indices of a compressed file. */
export interface CodedModel {
  readonly trellis: Trellis;
  readonly matrices: readonly Coded[];
}

/** Bits of a code for all indices, and of what it has to be told. */
export interface Price {
  readonly codes: number;
  readonly side: number;
}

/** The indices of a compressed file of the preset `rate`. */
export async function indicesOf(bytes: Uint8Array): Promise<CodedModel> {
  const { stages, tensors } = await openContainer(memorySource(bytes, "compressed model"));
  const stage = stages[0]!;
  const shapes = levelShapes(stage, codedShapes(tensors)).at(-1)!;
  const levels = decodeTrellis(stage.at(-1)!, [], shapes);
  const matrices = shapes.map((shape, i): Coded => {
    const length = shape.rows * shape.columns;
    return { ...shape, indices: new Int32Array(length), levels: levels[i]!.data };
  });
  let used: Trellis | undefined;
  const seen = new Int32Array(shapes.length);
  decodeIndices(stage.at(-1)!, shapes, ({ trellis, piece: { matrix }, indices }) => {
    used = trellis;
    matrices[matrix]!.indices.set(indices, seen[matrix]);
    seen[matrix] = seen[matrix]! + indices.length;
  });
  return { trellis: used!, matrices };
}

/** One table of frequencies for each tensor and quantizer: the entropy of its indices. */
export function staticTables({ trellis, matrices }: CodedModel): Price {
  let codes = 0, side = 0;
  for (const matrix of matrices) {
    const counts = [new Map<number, number>(), new Map<number, number>()];
    forEachDiagonal(matrix, ({ position, length }, start) => {
      let state = start;
      for (const k of matrix.indices.subarray(position, position + length)) {
        const table = counts[state & 1]!;
        table.set(k, (table.get(k) ?? 0) + 1);
        state = trellis.transitions[2 * state + (k & 1)]!;
      }
      return state;
    });
    for (const table of counts) {
      const total = table.values().reduce((sum, count) => sum + count, 0);
      for (const count of table.values()) codes -= count * Math.log2(count / total);
      // Frequencies of 12 bits, the least that a static table can be told in.
      side += 12 * table.size;
    }
  }
  return { codes, side };
}

/**
 * Bits of fields as the file tells them, less what the steps say already, and of `coefficients`. An
 * axis whose values are all the same is told as one value.
 */
export function fieldBits(
  coded: readonly MatrixShape[],
  fields: readonly RowColumnScales[],
  coefficients: Int32Array = new Int32Array(),
): number {
  const encoder = new RansEncoder();
  putIntegers(encoder, coefficients);
  fields.forEach(({ rows, columns }, i) => {
    const { rowColumnSteps } = coded[i]!;
    const told = (values: Int32Array, steps: Int32Array | undefined) =>
      values.every((value) => value === values[0])
        ? values.subarray(0, 1)
        : values.map((value, at) => value + (steps?.[at] ?? 0));
    putIntegers(encoder, told(rows, rowColumnSteps?.rows));
    putIntegers(encoder, told(columns, rowColumnSteps?.columns));
  });
  return 8 * encoder.finish().length;
}
