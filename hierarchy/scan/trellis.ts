import { PARITY_CHECKS, type ParityChecks, STATE_COUNTS } from "../format/constants.ts";

/**
 * The state machine of a dependent quantizer (as in Versatile Video Coding and the MPEG coder for
 * neural networks): quantizer Q0 reconstructs index k at 2k steps, Q1 at 2k - sgn k; bit 0 of the
 * state says which of the two is in use, and the parity of k moves the state. With one state it is
 * a uniform scalar quantizer that reconstructs at k steps.
 */
export interface Trellis {
  /** Number of states: one of STATE_COUNTS. */
  readonly states: number;
  /** Next state of state s after an index of parity p, at 2 s + p. */
  readonly transitions: Uint16Array;
}

/** Number of quantizers that take turns in a trellis. */
export function quantizersOf({ states }: Pick<Trellis, "states">): 1 | 2 {
  return states === 1 ? 1 : 2;
}

/** The trellis with a given number of states. Throws a RangeError for any other number. */
export function createTrellis(states: number): Trellis {
  if (states === 1) return { states, transitions: new Uint16Array(2) };
  const checks = PARITY_CHECKS.get(states);
  if (checks === undefined) {
    throw new RangeError(`a trellis has ${STATE_COUNTS.join(", ")} states, not ${states}`);
  }
  return trellisOfCode(states, checks);
}

/**
 * The trellis of a code with these parity checks: h0 has bit 0 and bit log2 `states`, h1 only bits
 * between them.
 */
export function trellisOfCode(states: number, [h0, h1]: ParityChecks): Trellis {
  const memory = Math.log2(states);
  const transitions = new Uint16Array(2 * states);
  for (let state = 0; state < states; state++) {
    for (let parity = 0; parity < 2; parity++) {
      let next = 0;
      for (let j = 1; j <= memory; j++) {
        const shifted = j < memory ? (state >> j) & 1 : 0;
        const bit = shifted ^ ((h0 >> j) & (state & 1)) ^ ((h1 >> j) & parity);
        next |= bit << (j - 1);
      }
      transitions[2 * state + parity] = next;
    }
  }
  return { states, transitions };
}

/**
 * The state before state t by an index of parity p, at [2 * t + p]. Defined for more than one state,
 * where each state is reached by both parities.
 */
export function predecessors({ states, transitions }: Trellis): Uint16Array {
  const before = new Uint16Array(2 * states);
  for (let state = 0; state < states; state++) {
    for (let parity = 0; parity < 2; parity++) {
      before[2 * transitions[2 * state + parity]! + parity] = state;
    }
  }
  return before;
}

/** Quantizer in use in a state: 0 or 1. */
export function quantizerOf(state: number): 0 | 1 {
  return (state & 1) as 0 | 1;
}

/** Reconstruction of index k, in steps. */
export function reconstruct(trellis: Trellis, quantizer: number, k: number): number {
  if (trellis.states === 1) return k;
  return quantizer === 0 ? 2 * k : 2 * k - Math.sign(k);
}
