import { CLASS_COUNT } from "../entropy/symbol_model.ts";
import { COSTED_MAGNITUDES } from "../entropy/symbol_costs.ts";
import type { Trellis } from "./trellis.ts";

/** How much a bit costs while quantizing. */
export interface RateTerm {
  /** Squared steps that one bit is worth. */
  readonly lambda: number;
  /** Bits of each index, see `symbolCosts`. */
  readonly costs: Float32Array;
  /** Class of each target. */
  readonly classes: Uint8Array;
}

/** Largest index magnitude that a quantizer gives. */
export const LARGEST_INDEX = 1 << 28;

/** Four ways to leave a state: two quantizers, two parities of the index. */
interface Candidates {
  readonly indices: Int32Array;
  readonly costs: Float64Array;
}

/**
 * Finds the indices of least squared error (in steps) + lambda * bits by Viterbi's algorithm.
 * Writes them to `indices` and returns the state after the last one. Cost grows linearly with the
 * number of states. This is the reference that the WebAssembly kernel is tested against.
 */
export function quantizeRun(
  trellis: Trellis,
  targets: Float32Array,
  startState: number,
  indices: Int32Array,
  rate?: RateTerm,
): number {
  if (trellis.states === 1) return quantizeScalar(targets, indices, rate);
  const { states, transitions } = trellis;
  const length = targets.length;
  const decisions = new Uint8Array(length * states);
  const candidateIndices = new Int32Array(length * 4);
  let metrics = new Float64Array(states).fill(Infinity), next = new Float64Array(states);
  metrics[startState] = 0;
  const candidates: Candidates = { indices: new Int32Array(4), costs: new Float64Array(4) };
  for (let i = 0; i < length; i++) {
    findCandidates(targets[i]!, i, candidates, rate);
    candidateIndices.set(candidates.indices, 4 * i);
    next.fill(Infinity);
    for (let state = 0; state < states; state++) {
      const metric = metrics[state]!;
      const quantizer = state & 1;
      for (let parity = 0; parity < 2; parity++) {
        const to = transitions[2 * state + parity]!;
        const cost = metric + candidates.costs[2 * quantizer + parity]!;
        if (cost < next[to]!) {
          next[to] = cost;
          decisions[i * states + to] = state;
        }
      }
    }
    [metrics, next] = [next, metrics];
  }
  return traceBack(trellis, metrics, decisions, candidateIndices, indices);
}

/** Follows the survivors from the best last state. */
function traceBack(
  trellis: Trellis,
  metrics: Float64Array,
  decisions: Uint8Array,
  candidateIndices: Int32Array,
  indices: Int32Array,
): number {
  const { states, transitions } = trellis;
  let state = 0;
  for (let s = 1; s < states; s++) if (metrics[s]! < metrics[state]!) state = s;
  const last = state;
  for (let i = indices.length - 1; i >= 0; i--) {
    const from = decisions[i * states + state]!;
    const parity = transitions[2 * from]! === state ? 0 : 1;
    indices[i] = candidateIndices[4 * i + 2 * (from & 1) + parity]!;
    state = from;
  }
  return last;
}

/** The best even and odd index of both quantizers for one target, with what each costs. */
function findCandidates(
  target: number,
  position: number,
  candidates: Candidates,
  rate: RateTerm | undefined,
): void {
  const magnitude = Math.min(Math.abs(target), LARGEST_INDEX);
  const sign = target < 0 ? -1 : 1;
  for (let quantizer = 0; quantizer < 2; quantizer++) {
    // In both quantizers index k >= 1 stands at 2 k - quantizer steps.
    const nearest = Math.floor((magnitude + quantizer) / 2 + 0.5);
    for (let parity = 0; parity < 2; parity++) {
      let k = nearest;
      if ((nearest & 1) !== parity) {
        k = nearest === 0 || magnitude > 2 * nearest - quantizer ? nearest + 1 : nearest - 1;
        // Index 0 of Q1 stands at 0, not at -1: from index 1 it is nearer than 2 up to 1.5 steps.
        if (quantizer === 1 && nearest === 1) k = magnitude < 1.5 ? 0 : 2;
      }
      const slot = 2 * quantizer + parity;
      candidates.costs[slot] = indexCost(magnitude, quantizer, k, position, rate);
      candidates.indices[slot] = sign * k;
      if (rate !== undefined && k >= 2) {
        const smaller = indexCost(magnitude, quantizer, k - 2, position, rate);
        if (smaller < candidates.costs[slot]!) {
          candidates.costs[slot] = smaller;
          candidates.indices[slot] = sign * (k - 2);
        }
      }
    }
  }
}

function indexCost(
  magnitude: number,
  quantizer: number,
  k: number,
  position: number,
  rate: RateTerm | undefined,
): number {
  const error = magnitude - (k === 0 ? 0 : 2 * k - quantizer);
  const distortion = error * error;
  return rate === undefined
    ? distortion
    : distortion + rate.lambda * indexBits(rate, quantizer, position, k);
}

function indexBits(rate: RateTerm, quantizer: number, position: number, k: number): number {
  const row = (quantizer * CLASS_COUNT + rate.classes[position]!) * COSTED_MAGNITUDES;
  return rate.costs[row + Math.min(k, COSTED_MAGNITUDES - 1)]!;
}

/** Each target alone: the nearest integer or, where the rate term says so, the one below. */
function quantizeScalar(
  targets: Float32Array,
  indices: Int32Array,
  rate: RateTerm | undefined,
): number {
  for (let i = 0; i < targets.length; i++) {
    const magnitude = Math.min(Math.abs(targets[i]!), LARGEST_INDEX);
    let k = Math.floor(magnitude + 0.5);
    if (rate !== undefined && k > 0) {
      const cost = (index: number) =>
        (magnitude - index) ** 2 + rate.lambda * indexBits(rate, 0, i, index);
      const below = cost(k - 1);
      if (below < cost(k)) k--;
    }
    indices[i] = targets[i]! < 0 ? -k : k;
  }
  return 0;
}
