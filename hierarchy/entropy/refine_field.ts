import type { Trellis } from "../quantize/trellis.ts";
import { emptyCounts, type MagnitudeCounts, MAGNITUDES } from "./fit_symbol_model.ts";
import { forEachRow, type IndexMatrix } from "./index_matrix.ts";
import { classOf, type ScaleField } from "./scale_field.ts";
import { COSTED_MAGNITUDES } from "./symbol_costs.ts";
import { CLASS_COUNT, rawBitsOf } from "./symbol_model.ts";
import { bucketOf } from "./symbol_table.ts";

/** Adds a matrix's bucket magnitudes to a histogram; escaped ones count as the largest. */
export function countMagnitudes(
  trellis: Trellis,
  matrix: IndexMatrix,
  counts: MagnitudeCounts = emptyCounts(trellis.states === 1 ? 1 : 2),
): MagnitudeCounts {
  const { columns, indices, field } = matrix;
  const { transitions } = trellis;
  const quantizers = trellis.states === 1 ? 1 : 2;
  const rawBits = Uint8Array.from({ length: CLASS_COUNT }, (_, c) => rawBitsOf(quantizers, c));
  forEachRow(trellis, matrix, (row, start) => {
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
  });
  return counts;
}

/** Steps that one refinement tries, in eighths of an octave. */
const REACH = 3;
const CHOICES = 2 * REACH + 1;
/** Bits that moving a value by one eighth is taken to cost in side information. */
const MOVE_PENALTY = 0.3;

/**
 * Maximum likelihood by coordinate descent: moves each row's, then each column's value to where the
 * matrix's indices cost least under the current model.
 */
export function refineField(
  trellis: Trellis,
  matrix: IndexMatrix,
  costs: Float32Array,
): ScaleField {
  const rows = refineRows(trellis, matrix, costs);
  const columns = refineColumns(trellis, { ...matrix, field: { ...matrix.field, rows } }, costs);
  return { rows, columns };
}

/** Index into `costs` of an index's cost in class 0. */
function costOffset(state: number, k: number): number {
  const magnitude = Math.min(Math.abs(k), COSTED_MAGNITUDES - 1);
  return (state & 1) * CLASS_COUNT * COSTED_MAGNITUDES + magnitude;
}

function refineRows(trellis: Trellis, matrix: IndexMatrix, costs: Float32Array): Int32Array {
  const { columns, indices, field } = matrix;
  const { transitions } = trellis;
  const bits = new Float64Array(CHOICES);
  const refined = new Int32Array(matrix.rows);
  forEachRow(trellis, matrix, (row, start) => {
    let state = start;
    bits.fill(0);
    for (let j = 0, at = row * columns; j < columns; j++, at++) {
      const k = indices[at]!;
      const offset = costOffset(state, k);
      const lowest = field.rows[row]! + field.columns[j]! - REACH;
      for (let choice = 0; choice < CHOICES; choice++) {
        bits[choice] = bits[choice]! +
          costs[offset + classOf(lowest + choice) * COSTED_MAGNITUDES]!;
      }
      state = transitions[2 * state + (k & 1)]!;
    }
    refined[row] = field.rows[row]! + bestMove(bits, 0);
  });
  return refined;
}

function refineColumns(trellis: Trellis, matrix: IndexMatrix, costs: Float32Array): Int32Array {
  const { columns, indices, field } = matrix;
  const { transitions } = trellis;
  const bits = new Float64Array(columns * CHOICES);
  forEachRow(trellis, matrix, (row, start) => {
    let state = start;
    for (let j = 0, at = row * columns; j < columns; j++, at++) {
      const k = indices[at]!;
      const offset = costOffset(state, k);
      const lowest = field.rows[row]! + field.columns[j]! - REACH;
      for (let choice = 0; choice < CHOICES; choice++) {
        const slot = j * CHOICES + choice;
        bits[slot] = bits[slot]! + costs[offset + classOf(lowest + choice) * COSTED_MAGNITUDES]!;
      }
      state = transitions[2 * state + (k & 1)]!;
    }
  });
  return field.columns.map((value, j) => value + bestMove(bits, j * CHOICES));
}

function bestMove(bits: Float64Array, first: number): number {
  let best = REACH;
  const cost = (choice: number) => bits[first + choice]! + MOVE_PENALTY * Math.abs(choice - REACH);
  for (let choice = 0; choice < CHOICES; choice++) if (cost(choice) < cost(best)) best = choice;
  return best - REACH;
}
