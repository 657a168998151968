import { rowsPerPiece } from "../../hierarchy/entropy/index_matrix.ts";
import { createErrorFeedbackKernel } from "../../hierarchy/kernels/error_feedback_kernel.ts";
import { createPathSearchKernel } from "../../hierarchy/kernels/path_search_kernel.ts";
import type { Matrix } from "../../hierarchy/levels/level.ts";
import {
  type AddErrors,
  addErrors,
  type FeedbackState,
  startFeedback,
} from "../../hierarchy/quantize/error_feedback.ts";
import { createPathSearch, type PathSearch } from "../../hierarchy/quantize/path_search.ts";
import { reconstruct, type Trellis } from "../../hierarchy/quantize/trellis.ts";

/**
 * A reconstruction function: how far, in steps, the values of magnitude 1, 2 and all larger ones are
 * moved towards zero.
 */
export type Shifts = readonly [one: number, two: number, rest: number];

/** No value is moved. */
export const NO_SHIFTS: Shifts = [0, 0, 0];

/** What a level of the quantizer, in steps, is reconstructed as. */
export function shiftLevel(shifts: Shifts, level: number): number {
  if (level === 0) return 0;
  return level - Math.sign(level) * shifts[Math.min(Math.abs(level), 3) - 1]!;
}

/** Where a reconstruction function would have least squared error. */
export interface CentroidSums {
  /** Levels of magnitude 1, 2 and more. */
  readonly counts: Float64Array;
  /** How far targets lie below them, summed. */
  readonly sums: Float64Array;
  /** Squared error of all targets, in squared steps. */
  squares: number;
}

/** A matrix quantized under a reconstruction function. */
export interface ShiftedMatrix {
  /** The indices, row-major. */
  readonly indices: Int32Array;
  /** What they are reconstructed as, in steps. */
  readonly values: Float32Array;
  /** Of its targets: the values with the errors that were fed back. */
  readonly centroids: CentroidSums;
}

const searches = new Map<number, PathSearch>();
let kernel: AddErrors | undefined;

/**
 * Quantizes a matrix with error feedback as `quantizeMatrix` does, but under a reconstruction
 * function: the path is searched for the moved values, and the errors that are fed back are theirs.
 */
export function quantizeShifted(trellis: Trellis, matrix: Matrix, shifts: Shifts): ShiftedMatrix {
  const { data, rows, columns } = matrix;
  let search = searches.get(trellis.states);
  search ??= createPathSearchKernel(trellis) ?? createPathSearch(trellis);
  searches.set(trellis.states, search);
  const metric = matrix.metric ?? {
    rowWeights: new Float64Array(rows).fill(1),
    columnWeights: new Float64Array(columns).fill(1),
    feedback: new Float32Array(rows * (rows - 1) / 2),
  };
  const feedback = startFeedback(matrix, metric);
  const indices = new Int32Array(data.length), values = new Float32Array(data.length);
  const centroids = { counts: new Float64Array(3), sums: new Float64Array(3), squares: 0 };
  const step = rowsPerPiece(columns);
  let state = 0;
  forEachRow(feedback, 0, rows, (row) => {
    if (row % step === 0) state = 0;
    const start = row * columns, end = start + columns;
    const targets = feedback.targets.subarray(start, end), found = indices.subarray(start, end);
    search.prepare(targets);
    priceCandidates(trellis, search, targets, shifts);
    const next = search.find(state, found);
    for (let j = 0; j < columns; j++) {
      const level = reconstruct(trellis, state & 1, found[j]!);
      const value = shiftLevel(shifts, level);
      values[start + j] = value;
      feedback.errors[start + j] = data[start + j]! - value;
      addToCentroids(centroids, level, targets[j]!, value);
      state = trellis.transitions[2 * state + (found[j]! & 1)]!;
    }
    state = next;
  });
  return { indices, values, centroids };
}

/** The order of `quantizeMatrix`: halves of halves, so that most work is large products. */
function forEachRow(
  state: FeedbackState,
  start: number,
  end: number,
  visit: (row: number) => void,
): void {
  if (end - start === 1) return visit(start);
  const middle = (start + end) >> 1;
  forEachRow(state, start, middle, visit);
  (kernel ??= createErrorFeedbackKernel() ?? addErrors)(state, [start, middle], [middle, end]);
  forEachRow(state, middle, end, visit);
}

/** Replaces the candidates' costs, which are of levels that are not moved. */
function priceCandidates(
  trellis: Trellis,
  { costs, candidates }: PathSearch,
  targets: Float32Array,
  shifts: Shifts,
): void {
  for (let i = 0; i < targets.length; i++) {
    for (let slot = 4 * i; slot < 4 * i + 4; slot++) {
      const level = reconstruct(trellis, (slot >> 1) & 1, candidates[slot]!);
      costs[slot] = (targets[i]! - shiftLevel(shifts, level)) ** 2;
    }
  }
}

function addToCentroids(
  centroids: CentroidSums,
  level: number,
  target: number,
  value: number,
): void {
  const { counts, sums } = centroids;
  centroids.squares += (target - value) ** 2;
  if (level === 0) return;
  const place = Math.min(Math.abs(level), 3) - 1;
  counts[place] = counts[place]! + 1;
  sums[place] = sums[place]! + Math.sign(level) * (level - target);
}
