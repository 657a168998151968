import type { Trellis } from "../quantize/trellis.ts";
import { emptyCounts, type MagnitudeCounts, MAGNITUDES } from "./fit_symbol_model.ts";
import { forEachDiagonal, type IndexMatrix } from "./index_matrix.ts";
import { classOf } from "./scale_field.ts";
import { CLASS_COUNT, rawBitsOf } from "./symbol_model.ts";
import { bucketOf } from "./symbol_table.ts";

/** Adds a matrix's bucket magnitudes to a histogram; escaped ones count as the largest. */
export function countMagnitudes(
  { states, transitions }: Trellis,
  matrix: IndexMatrix,
  counts: MagnitudeCounts = emptyCounts(states === 1 ? 1 : 2),
): MagnitudeCounts {
  const { indices, field } = matrix;
  const quantizers = states === 1 ? 1 : 2;
  const rawBits = Uint8Array.from({ length: CLASS_COUNT }, (_, c) => rawBitsOf(quantizers, c));
  forEachDiagonal(matrix, ({ row, column, length, position }, start) => {
    let state = start;
    for (let t = 0; t < length; t++) {
      const k = indices[position + t]!;
      const index = classOf(field.rows[row + t]! + field.columns[column - t]!);
      const magnitude = Math.min(Math.abs(bucketOf(k, rawBits[index]!)), MAGNITUDES - 1);
      const cell = ((state & 1) * CLASS_COUNT + index) * MAGNITUDES + magnitude;
      counts[cell] = counts[cell]! + 1;
      state = transitions[2 * state + (k & 1)]!;
    }
    return state;
  });
  return counts;
}
