import { PROBABILITY_SCALE } from "../format/constants.ts";

/**
 * Integer frequencies of at least 1 that sum to 4096 and are near the given weights (positive, any
 * scale; at most 4096 of them). Rounds by largest remainder over what is left after each symbol has
 * its 1. Uses only exactly rounded arithmetic, so that every platform gets the same table.
 */
export function normalizeFrequencies(weights: Float64Array): Uint16Array {
  let total = 0;
  for (const weight of weights) total += weight;
  const spare = PROBABILITY_SCALE - weights.length;
  const frequencies = new Uint16Array(weights.length);
  const remainders = new Float64Array(weights.length);
  let used = 0;
  for (let i = 0; i < weights.length; i++) {
    // The ideal share less the 1 that every symbol has anyway.
    const share = Math.max(0, (weights[i]! / total) * PROBABILITY_SCALE - 1);
    remainders[i] = share;
    used += share;
  }
  let left = spare;
  const scale = used > 0 ? spare / used : 0;
  for (let i = 0; i < weights.length; i++) {
    const share = remainders[i]! * scale;
    const whole = Math.min(left, Math.floor(share));
    frequencies[i] = 1 + whole;
    remainders[i] = share - whole;
    left -= whole;
  }
  const order = [...remainders.keys()].sort((a, b) => remainders[b]! - remainders[a]! || a - b);
  for (let i = 0; left > 0; i = (i + 1) % order.length, left--) {
    const symbol = order[i]!;
    frequencies[symbol] = frequencies[symbol]! + 1;
  }
  return frequencies;
}
