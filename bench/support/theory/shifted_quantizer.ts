import { forEachDiagonal } from "../../../hierarchy/scan/pieces.ts";
import { createErrorFeedbackKernel } from "../../../hierarchy/quantize/error_feedback_kernel.ts";
import { createPathSearchKernel } from "../../../hierarchy/quantize/path_search_kernel.ts";
import type { Matrix } from "../../../hierarchy/matrix/matrix.ts";
import type { ErrorMetric } from "../../../hierarchy/matrix/error_metric.ts";
import { passOn, readTargets, startFeedback } from "../../../hierarchy/quantize/error_feedback.ts";
import {
  type FeedbackOperations,
  feedbackOperations,
} from "../../../hierarchy/quantize/feedback_operations.ts";
import { createPathSearch, type PathSearch } from "../../../hierarchy/quantize/path_search.ts";
import { reconstruct, type Trellis } from "../../../hierarchy/scan/trellis.ts";

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
  /** The indices, in the order of the code. */
  readonly indices: Int32Array;
  /** What they are reconstructed as, in steps, row-major. */
  readonly values: Float32Array;
  /** Of its targets: the values with the errors that were fed back. */
  readonly centroids: CentroidSums;
}

const searches = new Map<number, PathSearch>();
let kernel: FeedbackOperations | undefined;

function pathSearch(trellis: Trellis): PathSearch {
  let search = searches.get(trellis.states);
  search ??= createPathSearchKernel(trellis) ?? createPathSearch(trellis);
  searches.set(trellis.states, search);
  return search;
}

/**
 * Quantizes a matrix with error feedback as `quantizeMatrix` does, but under a reconstruction
 * function: the path is searched for the moved values, and the errors that are fed back are theirs.
 */
export function quantizeShifted(
  trellis: Trellis,
  matrix: Matrix & { readonly metric: ErrorMetric },
  shifts: Shifts,
): ShiftedMatrix {
  const { data, rows, columns } = matrix;
  const search = pathSearch(trellis);
  kernel ??= createErrorFeedbackKernel() ?? feedbackOperations;
  const feedback = startFeedback(matrix, matrix.metric, kernel);
  const longest = Math.min(rows, columns);
  const targets = new Float32Array(longest), moved = new Float32Array(longest);
  const indices = new Int32Array(data.length), values = new Float32Array(data.length);
  const centroids = { counts: new Float64Array(3), sums: new Float64Array(3), squares: 0 };
  forEachDiagonal(matrix, (diagonal, start) => {
    const { row, column, length, position } = diagonal;
    readTargets(feedback, diagonal, targets);
    const run = targets.subarray(0, length);
    search.prepare(run);
    priceCandidates(trellis, search, run, shifts);
    const found = indices.subarray(position, position + length);
    const next = search.find(start, found);
    let state = start;
    for (let t = 0; t < length; t++) {
      const level = reconstruct(trellis, state & 1, found[t]!);
      moved[t] = shiftLevel(shifts, level);
      values[(row + t) * columns + column - t] = moved[t]!;
      addToCentroids(centroids, level, targets[t]!, moved[t]!);
      state = trellis.transitions[2 * state + (found[t]! & 1)]!;
    }
    passOn(feedback, diagonal, moved);
    return next;
  });
  return { indices, values, centroids };
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
