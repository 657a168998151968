import { COSTED_MAGNITUDES } from "../entropy/symbol_costs.ts";
import { CLASS_COUNT } from "../entropy/symbol_model.ts";

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

/**
 * For each target the best index of both quantizers and parities, at [4 * i + 2 * quantizer +
 * parity] of `indices`, and its cost, squared error (in steps) + lambda * bits, in `costs`.
 */
export function findCandidates(
  targets: Float32Array,
  costs: Float32Array,
  indices: Int32Array,
  rate: RateTerm | undefined,
): void {
  for (let i = 0; i < targets.length; i++) {
    const target = targets[i]!;
    const magnitude = Math.min(Math.abs(target), LARGEST_INDEX);
    for (let slot = 0; slot < 4; slot++) {
      const quantizer = slot >> 1;
      let k = nearestIndex(magnitude, quantizer, slot & 1);
      let cost = indexCost(magnitude, quantizer, k, i, rate);
      if (rate !== undefined && k >= 2) {
        const smaller = indexCost(magnitude, quantizer, k - 2, i, rate);
        if (smaller < cost) {
          cost = smaller;
          k -= 2;
        }
      }
      costs[4 * i + slot] = cost;
      indices[4 * i + slot] = target < 0 ? -k : k;
    }
  }
}

/** The index of a parity that reconstructs nearest to a magnitude. */
function nearestIndex(magnitude: number, quantizer: number, parity: number): number {
  // In both quantizers index k >= 1 stands at 2 k - quantizer steps.
  const nearest = Math.floor((magnitude + quantizer) / 2 + 0.5);
  if ((nearest & 1) === parity) return nearest;
  // Index 0 of Q1 stands at 0, not at -1: from index 1 it is nearer than 2 up to 1.5 steps.
  if (quantizer === 1 && nearest === 1) return magnitude < 1.5 ? 0 : 2;
  return nearest === 0 || magnitude > 2 * nearest - quantizer ? nearest + 1 : nearest - 1;
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

/** Bits of an index of magnitude `k`. */
export function indexBits(
  rate: RateTerm,
  quantizer: number,
  position: number,
  k: number,
): number {
  const row = (quantizer * CLASS_COUNT + rate.classes[position]!) * COSTED_MAGNITUDES;
  return rate.costs[row + Math.min(k, COSTED_MAGNITUDES - 1)]!;
}
