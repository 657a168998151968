import type { RotaryDescription, YarnScaling } from "../architectures/description.ts";

/** Whether the angles depend on how long a sequence is, beside the position. */
export function dependsOnLength({ scaling }: RotaryDescription): boolean {
  return scaling?.kind === "dynamic" || scaling?.kind === "longrope";
}

/**
 * Angles a position, one for each pair of rotated features, after scaling. `length` is that of the
 * sequence, from its beginning to the last token that takes part; see {@linkcode dependsOnLength}.
 */
export function rotaryFrequencies(rotary: RotaryDescription, length: number): Float64Array {
  const { dimensions, theta, scaling } = rotary;
  const plain = (base = theta) =>
    Float64Array.from({ length: dimensions / 2 }, (_, pair) => base ** (-2 * pair / dimensions));
  switch (scaling?.kind) {
    case undefined:
      return plain();
    case "linear":
      return plain().map((frequency) => frequency / scaling.factor);
    case "llama3": {
      const { factor, lowFrequencyFactor: low, highFrequencyFactor: high } = scaling;
      return plain().map((frequency) => {
        const turns = scaling.originalContextLength * frequency / (2 * Math.PI);
        return stretch(frequency, factor, (turns - low) / (high - low));
      });
    }
    case "yarn": {
      const [first, last] = yarnRange(rotary, scaling);
      return plain().map((frequency, pair) =>
        stretch(frequency, scaling.factor, (last - pair) / (last - first))
      );
    }
    case "dynamic": {
      const { factor, originalContextLength } = scaling;
      const growth = Math.max(1, length / originalContextLength);
      const exponent = dimensions / (dimensions - 2);
      return plain(theta * (factor * growth - (factor - 1)) ** exponent);
    }
    case "longrope": {
      const { shortFactors, longFactors, originalContextLength } = scaling;
      const factors = length > originalContextLength ? longFactors : shortFactors;
      return plain().map((frequency, pair) => frequency / factors[pair]!);
    }
  }
}

/** A frequency of which a share from 0 to 1 is kept and the rest divided by `factor`. */
function stretch(frequency: number, factor: number, share: number): number {
  const kept = Math.min(1, Math.max(0, share));
  return frequency * (kept + (1 - kept) / factor);
}

/** The pairs of features between which YaRN goes from keeping to stretching. */
function yarnRange(
  { dimensions, theta }: RotaryDescription,
  { betaFast, betaSlow, truncates, originalContextLength }: YarnScaling,
): [first: number, last: number] {
  const pairThatTurns = (times: number) =>
    dimensions * Math.log(originalContextLength / (times * 2 * Math.PI)) / (2 * Math.log(theta));
  const [fast, slow] = [pairThatTurns(betaFast), pairThatTurns(betaSlow)];
  const first = Math.max(0, truncates ? Math.floor(fast) : fast);
  const last = Math.min(dimensions - 1, truncates ? Math.ceil(slow) : slow);
  // Where both are the same pair, transformers moves the last one by this.
  return [first, last === first ? last + 0.001 : last];
}
