import { CLASS_COUNT, UNIT_CLASS } from "../format/constants.ts";
import { COSTED_MAGNITUDES } from "./symbol_costs.ts";

/** The moves of a scale by up to three eighths reach four classes, two eighths wide each. */
export const NEIGHBOURS = 4;
/** Classes beyond the first and the last that repeat them. */
const MARGIN = 8;
const WIDTH = CLASS_COUNT + 2 * MARGIN;

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
 * Where the costs of an index stand in the lowest of the classes that moves of its scale, in eighths
 * of an octave, can reach.
 */
export function firstCost(state: number, k: number, scale: number): number {
  const magnitude = Math.min(Math.abs(k), COSTED_MAGNITUDES - 1);
  const index = Math.min(Math.max((scale >> 1) + UNIT_CLASS, -MARGIN / 2), WIDTH - 1.5 * MARGIN);
  const lowest = index - 2 + (scale & 1);
  return ((state & 1) * COSTED_MAGNITUDES + magnitude) * WIDTH + MARGIN + lowest;
}
