import type { Matrices } from "../matrix/matrix.ts";

/**
 * Squared steps that a bit is worth while weights are quantized, chosen by the divergence that was
 * measured at equal bytes (`bench/rate_term.ts`): a sixth of what is best for independent values.
 */
const RATE_WEIGHT = 0.06;

/** Trellis states from which on the quality of a file goes before the time that it takes. */
const FEWEST_STATES = 16;

/**
 * The weight of the rate term where options name none. It takes a second pass, so quick trellises do
 * without, and so do matrices without a metric, for which it wins nothing.
 */
export function chooseRateWeight(states: number, matrices: Matrices): number {
  const isCalibrated = matrices.some(({ metric }) => metric !== undefined);
  return isCalibrated && states >= FEWEST_STATES ? RATE_WEIGHT : 0;
}
