import { findCandidates, type RateTerm } from "./candidates.ts";
import { predecessors, reconstruct, type Trellis } from "../scan/trellis.ts";

/** Longest path that is searched at once. */
export const LONGEST_PATH = 1 << 14;

/**
 * Searches paths through a trellis. Its buffers have, for each step, what each parity in each
 * quantizer costs and stands for, at [4 * step + 2 * quantizer + parity].
 */
export interface PathSearch {
  /** Costs: not negative. */
  readonly costs: Float32Array;
  /** Indices. */
  readonly candidates: Int32Array;
  /** Fills the buffers as `findCandidates` does, for at most {@linkcode LONGEST_PATH} targets. */
  prepare(targets: Float32Array, rate?: RateTerm): void;
  /**
   * Finds the path of least cost from `startState`, `indices.length` steps long, at most
   * {@linkcode LONGEST_PATH}. Writes its indices and, if asked, their levels in steps; returns its
   * last state.
   */
  find(startState: number, indices: Int32Array, levels?: Float32Array): number;
}

/** Steps after which metrics are lowered by the least of them, so that float32 stays exact enough. */
const NORMALIZE_EVERY = 64;

/**
 * Viterbi's algorithm in plain TypeScript: the reference that the WebAssembly kernel equals bit for
 * bit. Sums are rounded to float32; of equal paths that of parity 0, and the lower last state, win.
 */
export function createPathSearch(trellis: Trellis): PathSearch {
  const { states } = trellis;
  const before = predecessors(trellis);
  const costs = new Float32Array(4 * LONGEST_PATH);
  const candidates = new Int32Array(4 * LONGEST_PATH);
  const decisions = new Uint8Array(states * LONGEST_PATH);
  let metrics = new Float32Array(states), next = new Float32Array(states);
  return {
    costs,
    candidates,
    prepare(targets, rate) {
      findCandidates(targets, costs, candidates, rate);
    },
    find(startState, indices, levels) {
      metrics.fill(Infinity);
      metrics[startState] = 0;
      for (let i = 0; i < indices.length; i++) {
        if (i % NORMALIZE_EVERY === 0) normalize(metrics);
        for (let to = 0; to < states; to++) {
          const first = before[2 * to]!, second = before[2 * to + 1]!;
          const slot = 4 * i + 2 * (first & 1);
          const cost0 = Math.fround(metrics[first]! + costs[slot]!);
          const cost1 = Math.fround(metrics[second]! + costs[slot + 1]!);
          const parity = cost1 < cost0 ? 1 : 0;
          next[to] = parity === 1 ? cost1 : cost0;
          decisions[i * states + to] = parity;
        }
        [metrics, next] = [next, metrics];
      }
      let state = 0;
      for (let s = 1; s < states; s++) if (metrics[s]! < metrics[state]!) state = s;
      const last = state;
      for (let i = indices.length - 1; i >= 0; i--) {
        const parity = decisions[i * states + state]!;
        state = before[2 * state + parity]!;
        const k = indices[i] = candidates[4 * i + 2 * (state & 1) + parity]!;
        if (levels !== undefined) levels[i] = reconstruct(trellis, state & 1, k);
      }
      return last;
    },
  };
}

function normalize(metrics: Float32Array): void {
  let least = Infinity;
  for (const metric of metrics) if (metric < least) least = metric;
  for (let state = 0; state < metrics.length; state++) metrics[state] = metrics[state]! - least;
}
