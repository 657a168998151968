import { CLASS_COUNT } from "../format/constants.ts";
import { COSTED_MAGNITUDES } from "../entropy/symbol_costs.ts";

/** How much a bit costs while quantizing. */
export interface RateTerm {
  /** Squared steps that one bit is worth. */
  readonly rateWeight: number;
  /** Bits of each index, see `symbolCosts`. */
  readonly costs: Float32Array;
  /** Class of each target. */
  readonly classes: Uint8Array;
}

const { fround } = Math;

/** Largest index magnitude that a quantizer gives. */
export const LARGEST_INDEX = 1 << 28;

/**
 * For each target the best index of both quantizers and parities, at [4 * i + 2 * quantizer +
 * parity] of `indices`, and its cost, squared error (in steps) + rateWeight * bits, in `costs`. All
 * operations are rounded to float32: the reference that the WebAssembly kernel equals bit for bit.
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
    const sign = target < 0 ? -1 : 1;
    for (let quantizer = 0; quantizer < 2; quantizer++) {
      // In both quantizers index k >= 1 stands at 2 k - quantizer steps.
      const nearest = Math.floor(fround(fround(magnitude + quantizer) * 0.5 + 0.5));
      const error = fround(magnitude - fround(2 * nearest - quantizer));
      const [other, otherError] = neighbour(nearest, error, quantizer);
      for (let parity = 0; parity < 2; parity++) {
        const isNearest = (nearest & 1) === parity;
        let k = isNearest ? nearest : other;
        const offset = isNearest ? error : otherError;
        let cost = indexCost(offset, quantizer, k, i, rate);
        if (rate !== undefined && k >= 2) {
          const smallerOffset = quantizer === 1 && k === 2 ? magnitude : fround(offset + 4);
          const smaller = indexCost(smallerOffset, quantizer, k - 2, i, rate);
          if (smaller < cost) {
            cost = smaller;
            k -= 2;
          }
        }
        const slot = 4 * i + 2 * quantizer + parity;
        costs[slot] = cost;
        indices[slot] = sign * k;
      }
    }
  }
}

/** The second nearest index, of the other parity, and the error of its reconstruction. */
function neighbour(nearest: number, error: number, quantizer: number): [number, number] {
  // Below index 1 of Q1 stands index 0, at 0 and not at -1.
  const first = quantizer === 1 && nearest === 1;
  if (nearest === 0 || (first ? error >= 0.5 : error > 0)) return [nearest + 1, fround(error - 2)];
  return [nearest - 1, fround(error + (first ? 1 : 2))];
}

function indexCost(
  error: number,
  quantizer: number,
  k: number,
  position: number,
  rate: RateTerm | undefined,
): number {
  const distortion = fround(error * error);
  if (rate === undefined) return distortion;
  const bits = fround(fround(rate.rateWeight) * indexBits(rate, quantizer, position, k));
  return fround(distortion + bits);
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
