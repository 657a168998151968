import { createPathSearchKernel } from "./path_search_kernel.ts";
import { indexBits, LARGEST_INDEX, type RateTerm } from "./candidates.ts";
import { createPathSearch, LONGEST_PATH, type PathSearch } from "./path_search.ts";
import type { Trellis } from "../scan/trellis.ts";

/** Path searches by number of states, made when first needed. */
const searches = new Map<number, PathSearch>();

function pathSearch(trellis: Trellis): PathSearch {
  let search = searches.get(trellis.states);
  if (search === undefined) {
    search = createPathSearchKernel(trellis) ?? createPathSearch(trellis);
    searches.set(trellis.states, search);
  }
  return search;
}

/**
 * Finds the indices of least squared error (in steps) + rateWeight * bits by Viterbi's algorithm.
 * Writes them to `indices` and their levels in steps to `levels`, which may be the memory of the
 * targets, and returns the state after the last one. Cost grows linearly with the
 * number of states. Runs longer than `LONGEST_PATH` are cut, which costs nothing that shows.
 */
export function quantizeRun(
  trellis: Trellis,
  targets: Float32Array,
  startState: number,
  indices: Int32Array,
  rate?: RateTerm,
  levels?: Float32Array,
  search: PathSearch | undefined = trellis.states === 1 ? undefined : pathSearch(trellis),
): number {
  if (search === undefined) return quantizeScalar(targets, indices, rate, levels);
  let state = startState;
  for (let start = 0; start < targets.length; start += LONGEST_PATH) {
    const end = Math.min(targets.length, start + LONGEST_PATH);
    const part = rate && { ...rate, classes: rate.classes.subarray(start, end) };
    search.prepare(targets.subarray(start, end), part);
    state = search.find(state, indices.subarray(start, end), levels?.subarray(start, end));
  }
  return state;
}

/** Each target alone: the nearest integer or, where the rate term says so, the one below. */
function quantizeScalar(
  targets: Float32Array,
  indices: Int32Array,
  rate: RateTerm | undefined,
  levels: Float32Array | undefined,
): number {
  for (let i = 0; i < targets.length; i++) {
    const magnitude = Math.min(Math.abs(targets[i]!), LARGEST_INDEX);
    let k = Math.floor(magnitude + 0.5);
    if (rate !== undefined && k > 0) {
      const cost = (index: number) =>
        (magnitude - index) ** 2 + rate.rateWeight * indexBits(rate, 0, i, index);
      const below = cost(k - 1);
      if (below < cost(k)) k--;
    }
    const index = indices[i] = targets[i]! < 0 ? -k : k;
    if (levels !== undefined) levels[i] = index;
  }
  return 0;
}
