import type { Trellis } from "../quantize/trellis.ts";
import { emptyCounts, type MagnitudeCounts, MAGNITUDES } from "./fit_symbol_model.ts";
import { forEachRow, type IndexMatrix } from "./index_matrix.ts";
import { classOf } from "./scale_field.ts";
import { CLASS_COUNT, rawBitsOf } from "./symbol_model.ts";
import { bucketOf } from "./symbol_table.ts";

/** Adds a matrix's bucket magnitudes to a histogram; escaped ones count as the largest. */
export function countMagnitudes(
  { states, transitions }: Trellis,
  matrix: IndexMatrix,
  counts: MagnitudeCounts = emptyCounts(states === 1 ? 1 : 2),
): MagnitudeCounts {
  const { columns, indices, field } = matrix;
  const quantizers = states === 1 ? 1 : 2;
  const rawBits = Uint8Array.from({ length: CLASS_COUNT }, (_, c) => rawBitsOf(quantizers, c));
  forEachRow(matrix, (row, start) => {
    let state = start;
    const rowScale = field.rows[row]!;
    for (let j = 0, at = row * columns; j < columns; j++, at++) {
      const k = indices[at]!;
      const index = classOf(rowScale + field.columns[j]!);
      const magnitude = Math.min(Math.abs(bucketOf(k, rawBits[index]!)), MAGNITUDES - 1);
      const cell = ((state & 1) * CLASS_COUNT + index) * MAGNITUDES + magnitude;
      counts[cell] = counts[cell]! + 1;
      state = transitions[2 * state + (k & 1)]!;
    }
    return state;
  });
  return counts;
}
