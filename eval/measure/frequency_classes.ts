import type { Window } from "../protocols/window.ts";

/** Positions of a text by how often their token came in the calibration text. */
export interface FrequencyClass {
  /** Least times that the token came. */
  readonly atLeast: number;
  /** It came less often than this; no bound if omitted. */
  readonly below?: number;
  /** Share of the positions that are of this class, 0 to 1. */
  readonly share: number;
  /** Mean divergence of the predictions at them, nats. */
  readonly mean: number;
  /** Share of the whole divergence that they make, 0 to 1. */
  readonly divergenceShare: number;
}

/** Times from which on a token is in the next class. */
const BOUNDS = [0, 1, 10, 100] as const;

/**
 * Divergences by how often the token that is read at a position (not the one that is predicted there)
 * came among `calibrated`: tokens that never came, 1 to 9 times, 10 to 99 times, and more often.
 * Classes without positions are left out. `divergences` are in the order of the windows' rows.
 */
export function frequencyClasses(
  windows: readonly Window[],
  divergences: Float64Array,
  calibrated: Int32Array,
): FrequencyClass[] {
  const counts = new Map<number, number>();
  for (const token of calibrated) counts.set(token, (counts.get(token) ?? 0) + 1);
  const positions = BOUNDS.map(() => 0), sums = BOUNDS.map(() => 0);
  let at = 0, total = 0;
  for (const { tokens, rows } of windows) {
    for (const row of rows) {
      const count = counts.get(tokens[row]!) ?? 0;
      const index = BOUNDS.findLastIndex((bound) => count >= bound);
      const divergence = divergences[at++]!;
      positions[index]! += 1;
      sums[index]! += divergence;
      total += divergence;
    }
  }
  return BOUNDS.flatMap((atLeast, index): FrequencyClass[] => {
    const count = positions[index]!, below = BOUNDS[index + 1];
    return count === 0 ? [] : [{
      atLeast,
      ...(below !== undefined && { below }),
      share: count / at,
      mean: sums[index]! / count,
      divergenceShare: total > 0 ? sums[index]! / total : 0,
    }];
  });
}
