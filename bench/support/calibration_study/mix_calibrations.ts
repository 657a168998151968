import { COUNT_POWER } from "../../../eval/layers/token_counts.ts";
import type {
  PackedCalibration,
  PackedMoment,
} from "../../../eval/calibration/packed_calibration.ts";

/** A calibration and how often its text counts. */
export interface WeightedCalibration {
  readonly calibration: PackedCalibration;
  /** Times that each of its tokens counts. */
  readonly weight: number;
}

/**
 * About what calibration on several texts at once would have found. Moments of inputs are means by
 * a power of tokens' energies; of these, a text's mean energy is known, which is the sum of the
 * Fisher information of all outputs that share the inputs, and its power stands for them.
 */
export function mixCalibrations(parts: readonly WeightedCalibration[]): PackedCalibration {
  const [{ calibration: first }] = parts as [WeightedCalibration];
  const counts = parts.map(({ calibration, weight }) => weight * calibration.tokens);
  const total = counts.reduce((sum, count) => sum + count, 0);
  const shares = counts.map((count) => count / total);
  const mean = <T extends Float64Array>(of: (calibration: PackedCalibration) => T) =>
    of(first).map((_, i) =>
      parts.reduce((sum, { calibration }, k) => sum + shares[k]! * of(calibration)[i]!, 0)
    ) as T;
  const inputMoments = new Set(first.linears.map(({ moment }) => moment));
  const moments = first.moments.map(({ size }, index): PackedMoment => {
    // Moments of gradients are means over tokens.
    const powers = inputMoments.has(index)
      ? parts.map(({ calibration }) => energyOf(calibration, index) ** COUNT_POWER)
      : parts.map(() => 1);
    const products = powers.map((power, k) => power * shares[k]!);
    const sum = products.reduce((partial, value) => partial + value, 0);
    const triangle = new Float32Array(first.moments[index]!.triangle.length);
    parts.forEach(({ calibration }, k) => {
      const share = products[k]! / sum, from = calibration.moments[index]!.triangle;
      for (let i = 0; i < triangle.length; i++) triangle[i] = triangle[i]! + share * from[i]!;
    });
    return { size, triangle };
  });
  return {
    tokens: parts.reduce((sum, { calibration }) => sum + calibration.tokens, 0),
    contextLength: first.contextLength,
    moments,
    linears: first.linears.map((linear, at) => ({
      ...linear,
      ...(linear.fisher !== undefined && {
        fisher: mean(({ linears }) => linears[at]!.fisher!),
      }),
    })),
    tokenFrequencies: mean(({ tokenFrequencies }) => tokenFrequencies),
    ...(first.embeddingMoment !== undefined && { embeddingMoment: first.embeddingMoment }),
  };
}

/** Mean squared gradient by all outputs that see the inputs of a moment. */
export function energyOf({ linears }: PackedCalibration, moment: number): number {
  let energy = 0;
  for (const linear of linears) {
    if (linear.moment === moment) { for (const value of linear.fisher ?? [1]) energy += value; }
  }
  return energy;
}
