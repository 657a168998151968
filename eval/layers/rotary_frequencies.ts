import type { RotaryDescription } from "../architectures/description.ts";

/** Angles a position, one for each pair of rotated features, after scaling. */
export function rotaryFrequencies(rotary: RotaryDescription): Float64Array {
  const { dimensions, theta, scaling } = rotary;
  return Float64Array.from({ length: dimensions / 2 }, (_, pair) => {
    const frequency = theta ** (-2 * pair / dimensions);
    if (scaling === undefined) return frequency;
    if (scaling.kind === "linear") return frequency / scaling.factor;
    const { factor, lowFrequencyFactor: low, highFrequencyFactor: high } = scaling;
    const turns = scaling.originalContextLength * frequency / (2 * Math.PI);
    const kept = Math.min(1, Math.max(0, (turns - low) / (high - low)));
    return frequency * (kept + (1 - kept) / factor);
  });
}
