import { CLASS_COUNT } from "../format/constants.ts";
import { quantizersOf, type Trellis } from "../scan/trellis.ts";
import { type ClassCosts, firstCost, NEIGHBOURS } from "./class_costs.ts";
import { emptyCounts, type MagnitudeCounts, MAGNITUDES } from "./fit_symbol_model.ts";
import { type IndexMatrix, indexReader } from "./index_matrix.ts";
import { forEachDiagonal } from "../scan/pieces.ts";
import { classOf, type RowColumnScales } from "./row_column_scales.ts";
import { rawBitsOf } from "./symbol_model.ts";
import { bucketOf } from "./symbol_table.ts";

/** What is summed up over all indices of a matrix. */
export interface IndexStatistics {
  /** Adds bucket magnitudes to a histogram and returns it; escaped ones count as the largest. */
  countMagnitudes(trellis: Trellis, matrix: IndexMatrix, counts?: MagnitudeCounts): MagnitudeCounts;
  /**
   * For each row or column, what its indices cost in the classes that moves of their scales reach:
   * {@linkcode AXIS_SUMS} sums, of scales that are even in eighths of an octave and of odd ones.
   */
  axisCosts(
    trellis: Trellis,
    matrix: IndexMatrix,
    costs: ClassCosts,
    axis: keyof RowColumnScales,
  ): Float64Array;
}

/** Sums of a row or a column. */
export const AXIS_SUMS = 2 * NEIGHBOURS;

/** Low bits of each class's indices that are stored as they are. */
export function rawBitsOfClasses(quantizers: 1 | 2): Uint8Array {
  return Uint8Array.from({ length: CLASS_COUNT }, (_, index) => rawBitsOf(quantizers, index));
}

/**
 * {@linkcode IndexStatistics} in plain TypeScript: the reference that the WebAssembly kernel equals bit
 * for bit.
 */
export const indexStatistics: IndexStatistics = {
  countMagnitudes(trellis, matrix, counts = emptyCounts(quantizersOf(trellis))) {
    const { scales } = matrix;
    const read = indexReader(matrix.indices);
    const rawBits = rawBitsOfClasses(quantizersOf(trellis));
    forEachDiagonal(matrix, ({ row, column, length, position }, start) => {
      const indices = read(position, length);
      let state = start;
      for (let t = 0; t < length; t++) {
        const k = indices[t]!;
        const index = classOf(scales.rows[row + t]! + scales.columns[column - t]!);
        const magnitude = Math.min(Math.abs(bucketOf(k, rawBits[index]!)), MAGNITUDES - 1);
        const cell = ((state & 1) * CLASS_COUNT + index) * MAGNITUDES + magnitude;
        counts[cell] = counts[cell]! + 1;
        state = trellis.transitions[2 * state + (k & 1)]!;
      }
      return state;
    });
    return counts;
  },
  axisCosts({ transitions }, matrix, { bits }, axis) {
    const { scales } = matrix;
    const read = indexReader(matrix.indices);
    const sums = new Float64Array(AXIS_SUMS * scales[axis].length);
    const step = axis === "rows" ? 1 : -1;
    forEachDiagonal(matrix, ({ row, column, length, position }, start) => {
      const indices = read(position, length);
      let state = start;
      let at = axis === "rows" ? row : column;
      for (let t = 0; t < length; t++, at += step) {
        const k = indices[t]!;
        const scale = scales.rows[row + t]! + scales.columns[column - t]!;
        const from = firstCost(state, k, scale);
        const to = AXIS_SUMS * at + NEIGHBOURS * (scale & 1);
        for (let c = 0; c < NEIGHBOURS; c++) sums[to + c] = sums[to + c]! + bits[from + c]!;
        state = transitions[2 * state + (k & 1)]!;
      }
      return state;
    });
    return sums;
  },
};
