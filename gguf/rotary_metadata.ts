import type { GgufArchitecture } from "../data/gguf/architecture.ts";
import type { GgufValue } from "../data/gguf/metadata_value.ts";
import { InputError } from "../data/input_error.ts";
import type { RotaryDescription, YarnScaling } from "../eval/architectures/description.ts";
import { rotaryFrequencies } from "../eval/layers/rotary_frequencies.ts";
import { count, float, text } from "./values.ts";

/** What a GGUF file says of rotary positions. */
export interface RotaryMetadata {
  /** Metadata by key, the architecture's name not before it. */
  readonly entries: readonly (readonly [string, GgufValue])[];
  /** Factors by which frequencies are divided, by the names of their tensors. */
  readonly tensors: ReadonlyMap<string, Float32Array>;
  /** What people should know of it. */
  readonly notes: readonly string[];
}

/**
 * Rotary positions as llama.cpp reads them. Throws {@linkcode InputError} for a scaling that it does
 * not have in this architecture.
 */
export function rotaryMetadata(
  rotary: RotaryDescription,
  { name, runs }: GgufArchitecture,
): RotaryMetadata {
  const { dimensions, theta, scaling, attentionFactor = 1 } = rotary;
  const plain = [["rope.dimension_count", count(dimensions)], ["rope.freq_base", float(theta)]];
  const result = (
    entries: readonly (readonly [string, GgufValue])[],
    tensors: Readonly<Record<string, ArrayLike<number>>> = {},
    notes: readonly string[] = [],
  ): RotaryMetadata => ({
    entries: [...plain as [string, GgufValue][], ...entries],
    tensors: new Map(Object.entries(tensors).map(([key, list]) => [key, Float32Array.from(list)])),
    notes,
  });
  const attention = (factor: number) =>
    factor === 1 ? [] : [["rope.scaling.attn_factor", float(factor)] as const];
  /** The frequencies as they are, written as factors: right for every scaling of a fixed kind. */
  const asFactors = () => {
    if (runs.frequencyFactors !== "any") throw unknownScaling(name, rotary);
    const scaled = rotaryFrequencies(rotary, 1);
    const { scaling: _, ...unscaled } = rotary;
    const factors = rotaryFrequencies(unscaled, 1).map((value, pair) => value / scaled[pair]!);
    return result(attention(attentionFactor), { "rope_freqs.weight": factors });
  };
  switch (scaling?.kind) {
    case undefined:
      return result([]);
    case "linear":
      return result([
        ["rope.scaling.type", text("linear")],
        ["rope.scaling.factor", float(scaling.factor)],
      ]);
    case "llama3":
      return asFactors();
    case "yarn":
      if (!isUsual(scaling)) return asFactors();
      return result([
        ["rope.scaling.type", text("yarn")],
        ["rope.scaling.factor", float(scaling.factor)],
        ["rope.scaling.original_context_length", count(scaling.originalContextLength)],
        // llama.cpp multiplies by what YaRN proposes.
        ...attention(attentionFactor / proposedFactor(scaling)),
      ]);
    case "longrope":
      if (runs.frequencyFactors === undefined) throw unknownScaling(name, rotary);
      return result([
        ["rope.scaling.type", text("longrope")],
        ["rope.scaling.original_context_length", count(scaling.originalContextLength)],
        ...attention(attentionFactor),
      ], {
        "rope_factors_short.weight": scaling.shortFactors,
        "rope_factors_long.weight": scaling.longFactors,
      });
    case "dynamic":
      return result([], {}, [
        "llama.cpp has no dynamic scaling of rotary positions: texts longer than " +
        `${scaling.originalContextLength} tokens will differ`,
      ]);
  }
}

/** Of YaRN's settings llama.cpp reads the factor and the context, and has the usual others. */
function isUsual({ betaFast, betaSlow, truncates }: YarnScaling): boolean {
  return betaFast === 32 && betaSlow === 1 && truncates;
}

function proposedFactor({ factor }: YarnScaling): number {
  return factor <= 1 ? 1 : 0.1 * Math.log(factor) + 1;
}

function unknownScaling(name: string, { scaling }: RotaryDescription): InputError {
  return new InputError(
    `config.json: llama.cpp does not scale rotary positions by ${scaling?.kind} with these settings ` +
      `in its architecture ${name}; write the model without --gguf`,
  );
}
