import { InputError } from "../input_error.ts";
import { quote } from "../quote.ts";
import type { GgufArchitecture } from "./architecture.ts";
import { shortest } from "./shortest.ts";
import type { MetadataReader } from "./metadata_value.ts";

/** What GGUF stores of the rotary settings as tensors: by how much frequencies are divided. */
export interface RotaryTensors {
  /** `rope_freqs.weight`, at every position. */
  readonly factors?: Float32Array;
  /** `rope_factors_short.weight`, in short contexts. */
  readonly shortFactors?: Float32Array;
  /** `rope_factors_long.weight`, in long contexts. */
  readonly longFactors?: Float32Array;
}

/** The tensors of {@linkcode RotaryTensors} by their names in the file. */
export const rotaryTensors: ReadonlyMap<string, keyof RotaryTensors> = new Map([
  ["rope_freqs.weight", "factors"],
  ["rope_factors_short.weight", "shortFactors"],
  ["rope_factors_long.weight", "longFactors"],
]);

/**
 * The keys of config.json that say how heads are rotated: their size, the base, the share that is
 * rotated and the scaling, as transformers wrote them before version 5 and still reads them.
 * Nothing for an architecture without rotary positions.
 */
export function rotaryConfig(
  metadata: MetadataReader,
  { name, modelType, tensors }: GgufArchitecture,
  factors: RotaryTensors,
): Record<string, unknown> {
  if (tensors.some(([gguf]) => gguf === "position_embd")) return {};
  const key = (path: string) => `${name}.${path}`;
  const number = (path: string) => shortest(metadata.number(key(path)));
  const width = metadata.count(key("embedding_length")) ?? 0;
  const heads = metadata.count(key("attention.head_count")) ?? 1;
  const headSize = metadata.count(key("attention.key_length")) ?? width / heads;
  const rotated = metadata.count(key("rope.dimension_count")) ?? headSize;
  const theta = number("rope.freq_base") ?? 10_000;
  const config: Record<string, unknown> = modelType === "gpt_neox"
    ? { rotary_emb_base: theta, rotary_pct: rotated / headSize }
    : { rope_theta: theta, head_dim: headSize };
  if (modelType !== "gpt_neox" && rotated !== headSize) {
    config["partial_rotary_factor"] = rotated / headSize;
  }
  const scaling = scalingOf(metadata, name, factors, { rotated, theta });
  if (scaling !== undefined) config["rope_scaling"] = scaling;
  return config;
}

/** How a head is rotated before scaling. */
interface Rotation {
  /** Features of a head that are rotated. */
  readonly rotated: number;
  /** The base. */
  readonly theta: number;
}

function scalingOf(
  metadata: MetadataReader,
  name: string,
  { factors, shortFactors, longFactors }: RotaryTensors,
  rotation: Rotation,
): Record<string, unknown> | undefined {
  const path = (key: string) => `${name}.rope.scaling.${key}`;
  const number = (key: string) => shortest(metadata.number(path(key)));
  const original = metadata.count(path("original_context_length"));
  const context = original === undefined ? {} : { original_max_position_embeddings: original };
  const attention = number("attn_factor");
  if (shortFactors !== undefined && longFactors !== undefined) {
    return {
      rope_type: "longrope",
      short_factor: Array.from(shortFactors, shortest),
      long_factor: Array.from(longFactors, shortest),
      ...context,
      ...optional("attention_factor", attention),
    };
  }
  if (factors !== undefined) {
    return fitLlama3(factors, rotation) ?? fixedFactors(factors, attention ?? 1);
  }
  const type = metadata.text(path("type")) ?? "none";
  const factor = number("factor") ?? shortest(metadata.number(`${name}.rope.scale_linear`));
  if (type === "yarn") {
    // llama.cpp multiplies by what YaRN proposes, transformers takes one number for both.
    const proposed = 0.1 * Math.log(factor ?? 1) + 1;
    return {
      rope_type: "yarn",
      factor: factor ?? 1,
      ...context,
      ...optional("attention_factor", attention && attention * proposed),
      ...optional("beta_fast", number("yarn_beta_fast")),
      ...optional("beta_slow", number("yarn_beta_slow")),
    };
  }
  if (type !== "none" && type !== "linear" && type !== "longrope") {
    throw new InputError(
      `${metadata.file}: its metadata ${quote(path("type"))} is ${quote(type)}, which is not ` +
        "supported; take another model",
    );
  }
  return type === "none" || factor === undefined || factor === 1 || factor === 0
    ? undefined
    : { rope_type: "linear", factor };
}

function optional(key: string, value: number | undefined): Record<string, number> {
  return value === undefined ? {} : { [key]: value };
}

/** The same factors at every position, in the words of LongRoPE: exact, whatever they come from. */
function fixedFactors(factors: Float32Array, attention: number): Record<string, unknown> {
  const list = Array.from(factors, shortest);
  const both = { short_factor: list, long_factor: list };
  return { rope_type: "longrope", ...both, attention_factor: attention };
}

/**
 * The settings of Llama 3.1's scaling that give these factors; undefined where none do.
 *
 * It leaves high frequencies as they are, divides low ones by `factor`, and between them mixes by
 * how many wavelengths fit into the original context: that is linear in the frequency, so a straight
 * line through what lies between gives the two ends. They are known up to a common scale, for which
 * the lower one is taken to be 1, as in every published model.
 */
export function fitLlama3(
  factors: Float32Array,
  { rotated, theta }: Rotation,
): Record<string, unknown> | undefined {
  const pairs = Array.from(factors, (factor, i) => {
    return { factor, turns: theta ** (-2 * i / rotated) / (2 * Math.PI) };
  });
  const factor = shortest(factors.reduce((most, value) => Math.max(most, value), 1))!;
  // 1 / found = (1 - mix) / factor + mix
  const between = pairs.filter(({ factor: found }) => found > 1 && found < factor)
    .map(({ factor: found, turns }) => {
      return { turns, mix: (1 / found - 1 / factor) / (1 - 1 / factor) };
    }).filter(({ mix }) => mix > 1e-3 && mix < 1 - 1e-3);
  const first = between[0], last = between.at(-1);
  if (first === undefined || last === undefined || first === last) return undefined;
  const slope = (first.mix - last.mix) / (first.turns - last.turns);
  // mix = (context · turns - 1) / (high - 1)
  const offset = first.turns * slope - first.mix;
  const high = near(1 + 1 / offset);
  const context = near(slope / offset);
  const fits = pairs.every(({ factor: found, turns }) => {
    const mix = Math.min(Math.max((context * turns - 1) / (high - 1), 0), 1);
    return Math.abs(((1 - mix) / factor + mix) * found - 1) < 1e-4;
  });
  if (!fits) return undefined;
  return {
    rope_type: "llama3",
    factor,
    low_freq_factor: 1,
    high_freq_factor: high,
    original_max_position_embeddings: context,
  };
}

/** The whole number that a value is, but for rounding; the value itself where it is none. */
function near(value: number): number {
  const whole = Math.round(value);
  return Math.abs(value - whole) < 1e-3 * whole ? whole : value;
}
