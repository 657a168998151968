import type { Trellis } from "../quantize/trellis.ts";
import { forEachDiagonal, type IndexMatrix } from "./index_matrix.ts";
import type { ScaleField } from "./scale_field.ts";
import { COSTED_MAGNITUDES } from "./symbol_costs.ts";
import { CLASS_COUNT, UNIT_CLASS } from "./symbol_model.ts";

/** Eighths of an octave that one refinement moves a value by at most. */
const REACH = 3;
/** Bits that moving a value by one eighth is taken to cost in side information. */
const MOVE_PENALTY = 0.3;

/** The moves of a scale by up to three eighths reach four classes, two eighths wide each. */
const NEIGHBOURS = 4;
/** Classes beyond the first and the last that repeat them. */
const MARGIN = 8;
const WIDTH = CLASS_COUNT + 2 * MARGIN;
/** Two sets of neighbours: of scales that are even and odd in eighths. */
const SUMS = 2 * NEIGHBOURS;

/**
 * Bits of indices as `symbolCosts` gives them, ordered so that neighbouring classes stand side by
 * side: [(quantizer * COSTED_MAGNITUDES + magnitude) * WIDTH + MARGIN + class].
 */
export interface ClassCosts {
  /** The bits. */
  readonly bits: Float32Array;
}

/** Reorders the costs of all classes. */
export function classCosts(costs: Float32Array): ClassCosts {
  const quantizers = costs.length / (CLASS_COUNT * COSTED_MAGNITUDES);
  const bits = new Float32Array(quantizers * COSTED_MAGNITUDES * WIDTH);
  let at = 0;
  for (let quantizer = 0; quantizer < quantizers; quantizer++) {
    for (let magnitude = 0; magnitude < COSTED_MAGNITUDES; magnitude++) {
      for (let place = -MARGIN; place < CLASS_COUNT + MARGIN; place++) {
        const index = Math.min(Math.max(place, 0), CLASS_COUNT - 1);
        bits[at++] = costs[(quantizer * CLASS_COUNT + index) * COSTED_MAGNITUDES + magnitude]!;
      }
    }
  }
  return { bits };
}

/**
 * Maximum likelihood by coordinate descent: moves each row's, then each column's value to where the
 * matrix's indices cost least under the current model.
 */
export function refineField(trellis: Trellis, matrix: IndexMatrix, costs: ClassCosts): ScaleField {
  const rows = refineAxis(trellis, matrix, costs, "rows");
  const refined = { ...matrix, field: { ...matrix.field, rows } };
  return { rows, columns: refineAxis(trellis, refined, costs, "columns") };
}

function refineAxis(
  { transitions }: Trellis,
  matrix: IndexMatrix,
  { bits }: ClassCosts,
  axis: keyof ScaleField,
): Int32Array {
  const { indices, field } = matrix;
  const sums = new Float64Array(SUMS * field[axis].length);
  const step = axis === "rows" ? 1 : -1;
  forEachDiagonal(matrix, ({ row, column, length, position }, start) => {
    let state = start;
    let at = axis === "rows" ? row : column;
    for (let t = 0; t < length; t++, at += step) {
      const k = indices[position + t]!;
      const scale = field.rows[row + t]! + field.columns[column - t]!;
      addCosts(bits, firstCost(state, k, scale), sums, SUMS * at + NEIGHBOURS * (scale & 1));
      state = transitions[2 * state + (k & 1)]!;
    }
    return state;
  });
  return field[axis].map((value, at) => value + bestMove(sums, SUMS * at));
}

/** Where the costs of an index stand in the lowest of the classes that moves can reach. */
function firstCost(state: number, k: number, scale: number): number {
  const magnitude = Math.min(Math.abs(k), COSTED_MAGNITUDES - 1);
  const index = Math.min(Math.max((scale >> 1) + UNIT_CLASS, -MARGIN / 2), WIDTH - 1.5 * MARGIN);
  const lowest = index - 2 + (scale & 1);
  return ((state & 1) * COSTED_MAGNITUDES + magnitude) * WIDTH + MARGIN + lowest;
}

function addCosts(bits: Float32Array, from: number, sums: Float64Array, to: number): void {
  sums[to] = sums[to]! + bits[from]!;
  sums[to + 1] = sums[to + 1]! + bits[from + 1]!;
  sums[to + 2] = sums[to + 2]! + bits[from + 2]!;
  sums[to + 3] = sums[to + 3]! + bits[from + 3]!;
}

/** The move that makes the bits least, from the sums of even and odd scales. */
function bestMove(sums: Float64Array, first: number): number {
  let best = 0, least = Infinity;
  for (let move = -REACH; move <= REACH; move++) {
    const even = (move >> 1) + 2, odd = (move + 1 >> 1) + 1;
    const bits = sums[first + even]! + sums[first + NEIGHBOURS + odd]! +
      MOVE_PENALTY * Math.abs(move);
    if (bits < least) [best, least] = [move, bits];
  }
  return best;
}
