import type { Trellis } from "../scan/trellis.ts";
import { type ClassCosts, NEIGHBOURS } from "./class_costs.ts";
import type { IndexMatrix } from "./index_matrix.ts";
import { AXIS_SUMS, type IndexStatistics } from "./index_statistics.ts";
import type { RowColumnScales } from "./row_column_scales.ts";

/** Eighths of an octave that one refinement moves a value by at most. */
const REACH = 3;
/** Bits that moving a value by one eighth is taken to cost in side information. */
const MOVE_PENALTY = 0.3;

/**
 * Maximum likelihood by coordinate descent: moves each row's, then each column's value to where the
 * matrix's indices cost least under the current model.
 */
export function refineScales(
  trellis: Trellis,
  matrix: IndexMatrix,
  costs: ClassCosts,
  statistics: IndexStatistics,
): RowColumnScales {
  const refined = (scales: RowColumnScales, axis: keyof RowColumnScales) =>
    refineAxis(trellis, { ...matrix, scales }, costs, statistics, axis);
  const scales = { ...matrix.scales, rows: refined(matrix.scales, "rows") };
  return { ...scales, columns: refined(scales, "columns") };
}

/** The values of one axis, each moved to where its indices cost least. */
export function refineAxis(
  trellis: Trellis,
  matrix: IndexMatrix,
  costs: ClassCosts,
  { axisCosts }: IndexStatistics,
  axis: keyof RowColumnScales,
): Int32Array {
  const sums = axisCosts(trellis, matrix, costs, axis);
  return matrix.scales[axis].map((value, at) => value + bestMove(sums, AXIS_SUMS * at));
}

/** The move that makes the bits least, from the sums of even and odd scales. */
export function bestMove(sums: Float64Array, first: number): number {
  let best = 0, least = Infinity;
  for (let move = -REACH; move <= REACH; move++) {
    const even = (move >> 1) + 2, odd = (move + 1 >> 1) + 1;
    const bits = sums[first + even]! + sums[first + NEIGHBOURS + odd]! +
      MOVE_PENALTY * Math.abs(move);
    if (bits < least) [best, least] = [move, bits];
  }
  return best;
}
