import { InputError } from "../../data/input_error.ts";
import { quoteValue } from "../../data/quote.ts";
import {
  type ModelConfig,
  readBoolean,
  readChoice,
  readInteger,
  readNumber,
  readObject,
} from "./config.ts";
import type { RotaryDescription, RotaryScaling } from "./description.ts";

const ropeTypes = ["default", "linear", "llama3", "yarn", "dynamic", "longrope"] as const;

/** Where an architecture's config keeps what stands outside of the rotary settings. */
export interface RotaryKeys {
  /** The base. */
  readonly theta: "rope_theta" | "rotary_emb_base";
  /** The base where the config does not say it; 10,000 if omitted. */
  readonly defaultTheta?: number;
  /** The share of a head's features that is rotated, and its default; absent: all are. */
  readonly share?: {
    readonly key: "rotary_pct" | "partial_rotary_factor";
    readonly fallback: number;
  };
}

/**
 * Reads rotary position embeddings as transformers 5 writes them (`rope_parameters`) or as older
 * versions did (`rope_scaling`, with the base outside of it). Where a config has both, it is read
 * as transformers 5 does: `rope_scaling` in place of all of `rope_parameters`, `rope_type` before
 * `type`, a base inside before one outside, but an original context outside before one inside.
 */
export function readRotary(
  config: ModelConfig,
  headSize: number,
  { theta: thetaKey, defaultTheta = 10_000, share }: RotaryKeys = { theta: "rope_theta" },
): RotaryDescription {
  const parameters = readParameters(config, thetaKey);
  const theta = readNumber(parameters, "rope_theta", readNumber(config, thetaKey, defaultTheta));
  const dimensions = readDimensions(config, parameters, headSize, share);
  const plain = { dimensions, theta };
  const type = readType(parameters);
  if (type === "default") return plain;
  const scaling = readScaling(type, config, parameters, plain);
  const attentionFactor = readAttentionFactor(config, parameters, scaling);
  return { ...plain, scaling, ...(attentionFactor !== 1 && { attentionFactor }) };
}

/**
 * The longest sequence that a model with rotary positions was made for: its
 * `max_position_embeddings`, with dynamic scaling times the factor.
 */
export function readRotaryContext(config: ModelConfig, keys?: RotaryKeys): number {
  const contextLength = readInteger(config, "max_position_embeddings");
  const parameters = readParameters(config, keys?.theta ?? "rope_theta");
  if (readType(parameters) !== "dynamic") return contextLength;
  return Math.floor(contextLength * Math.max(1, readNumber(parameters, "factor")));
}

function readParameters(config: ModelConfig, thetaKey: string): ModelConfig {
  const newer = readObject(config, "rope_parameters") ?? {};
  const older = readObject(config, "rope_scaling") ?? {};
  const [name, parameters] = Object.keys(older).length > 0
    ? ["rope_scaling", older]
    : ["rope_parameters", newer];
  const nested = Object.entries(parameters).find(([, value]) =>
    typeof value === "object" && value !== null && !Array.isArray(value)
  );
  if (nested !== undefined) {
    throw new InputError(
      `config.json: ${name}.${
        nested[0]
      } is an object, but rotary settings for each type of layer ` +
        "are not supported",
    );
  }
  const lost = parameters === older ? newer["rope_theta"] : undefined;
  if (lost != null && older["rope_theta"] == null && config[thetaKey] == null) {
    throw new InputError(
      `config.json: rope_scaling takes the place of rope_parameters, whose rope_theta ` +
        `${quoteValue(lost)} would be lost; move what rope_scaling says into rope_parameters`,
    );
  }
  return parameters;
}

function readType(parameters: ModelConfig) {
  const key = parameters["rope_type"] === undefined ? "type" : "rope_type";
  return readChoice(parameters, key, ropeTypes, "default");
}

function readDimensions(
  config: ModelConfig,
  parameters: ModelConfig,
  headSize: number,
  share: RotaryKeys["share"],
): number {
  const key = "partial_rotary_factor";
  const rotated = share === undefined
    ? readNumber(parameters, key, readNumber(config, key, 1))
    : readNumber(parameters, key, readNumber(config, share.key, share.fallback));
  if (share === undefined && rotated !== 1) {
    throw new InputError(
      `config.json: ${key} ${rotated} is not supported for this model_type, which rotates whole heads`,
    );
  }
  const dimensions = Math.floor(headSize * rotated);
  if (dimensions >= 2 && dimensions % 2 === 0 && dimensions <= headSize) return dimensions;
  throw new InputError(
    `config.json: ${dimensions} rotated features per head (head size ${headSize}); must be even`,
  );
}

function readScaling(
  kind: Exclude<typeof ropeTypes[number], "default">,
  config: ModelConfig,
  parameters: ModelConfig,
  { dimensions, theta }: RotaryDescription,
): RotaryScaling {
  switch (kind) {
    case "linear":
      return { kind, factor: readNumber(parameters, "factor") };
    case "llama3":
      return {
        kind,
        factor: readNumber(parameters, "factor"),
        lowFrequencyFactor: readNumber(parameters, "low_freq_factor"),
        highFrequencyFactor: readNumber(parameters, "high_freq_factor"),
        originalContextLength: readOriginalContext(config, parameters),
      };
    case "yarn":
      if (theta <= 1) throw new InputError(`config.json: yarn needs a rope_theta above 1`);
      return {
        kind,
        factor: readFactor(config, parameters),
        betaFast: readOptional(parameters, "beta_fast") ?? 32,
        betaSlow: readOptional(parameters, "beta_slow") ?? 1,
        truncates: readBoolean(parameters, "truncate", true),
        originalContextLength: readOriginalContext(config, parameters),
      };
    case "dynamic":
      if (dimensions < 4) {
        throw new InputError("config.json: dynamic needs at least 4 rotated features per head");
      }
      return {
        kind,
        factor: readNumber(parameters, "factor"),
        originalContextLength: readInteger(config, "max_position_embeddings"),
      };
    case "longrope":
      return {
        kind,
        shortFactors: readFactors(parameters, "short_factor", dimensions / 2),
        longFactors: readFactors(parameters, "long_factor", dimensions / 2),
        originalContextLength: readOriginalContext(config, parameters),
      };
  }
}

function readOriginalContext(config: ModelConfig, parameters: ModelConfig): number {
  const key = "original_max_position_embeddings";
  if (config[key] != null) return readInteger(config, key);
  if (parameters[key] != null) return readInteger(parameters, key);
  return readInteger(config, "max_position_embeddings");
}

/** The factor; where it is `null`, how much longer the context is than the original one. */
function readFactor(config: ModelConfig, parameters: ModelConfig): number {
  if (parameters["factor"] !== null) return readNumber(parameters, "factor");
  return readInteger(config, "max_position_embeddings") / readOriginalContext(config, parameters);
}

/** A positive number; `undefined` if it is absent or 0, which means the same. */
function readOptional(parameters: ModelConfig, key: string): number | undefined {
  if (parameters[key] == null || parameters[key] === 0) return undefined;
  return readNumber(parameters, key);
}

function readFactors(parameters: ModelConfig, key: string, count: number): readonly number[] {
  const value = parameters[key];
  const sound = Array.isArray(value) && value.length === count &&
    value.every((factor) => typeof factor === "number" && factor > 0 && factor < Infinity);
  if (sound) return value;
  const found = Array.isArray(value) ? `a list of ${value.length}` : quoteValue(value);
  throw new InputError(
    `config.json: ${key} must be a list of ${count} positive numbers, found ${found}`,
  );
}

function readAttentionFactor(
  config: ModelConfig,
  parameters: ModelConfig,
  scaling: RotaryScaling,
): number {
  if (scaling.kind !== "yarn" && scaling.kind !== "longrope") return 1;
  if (parameters["attention_factor"] != null) return readNumber(parameters, "attention_factor");
  if (scaling.kind === "longrope") {
    const factor = parameters["factor"] === undefined
      ? readFactor(config, { ...parameters, factor: null })
      : readFactor(config, parameters);
    return factor <= 1
      ? 1
      : Math.sqrt(1 + Math.log(factor) / Math.log(scaling.originalContextLength));
  }
  const grow = (by: number) => scaling.factor <= 1 ? 1 : 0.1 * by * Math.log(scaling.factor) + 1;
  const scale = readOptional(parameters, "mscale");
  const scaleOfAll = readOptional(parameters, "mscale_all_dim");
  if (scale === undefined || scaleOfAll === undefined) return grow(1);
  return grow(scale) / grow(scaleOfAll);
}
