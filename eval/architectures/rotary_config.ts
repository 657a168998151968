import { InputError } from "../../data/input_error.ts";
import { type ModelConfig, readChoice, readInteger, readNumber, readObject } from "./config.ts";
import type { LinearScaling, Llama3Scaling, RotaryDescription } from "./description.ts";

const ropeTypes = ["default", "linear", "llama3"] as const;

/**
 * Reads rotary position embeddings as transformers 5 writes them (`rope_parameters`) or as older
 * versions did (`rope_theta` and `rope_scaling`; `rotary_emb_base` and `rotary_pct` in GPT-NeoX).
 */
export function readRotary(
  config: ModelConfig,
  headSize: number,
  defaults: { readonly theta?: number; readonly rotatedShare?: number } = {},
): RotaryDescription {
  const parameters = readObject(config, "rope_parameters") ??
    readObject(config, "rope_scaling") ?? {};
  const merged: ModelConfig = { ...config, ...parameters };
  const theta = readNumber(
    merged,
    merged.rope_theta === undefined && merged.rotary_emb_base !== undefined
      ? "rotary_emb_base"
      : "rope_theta",
    defaults.theta ?? 10_000,
  );
  const rotatedShare = readNumber(
    merged,
    merged.partial_rotary_factor === undefined && merged.rotary_pct !== undefined
      ? "rotary_pct"
      : "partial_rotary_factor",
    defaults.rotatedShare ?? 1,
  );
  const dimensions = Math.floor(headSize * rotatedShare);
  if (dimensions < 2 || dimensions % 2 !== 0 || dimensions > headSize) {
    throw new InputError(
      `config.json: ${dimensions} rotated features a head (head size ${headSize}); must be even`,
    );
  }
  const scaling = readScaling(config, parameters);
  return scaling === undefined ? { dimensions, theta } : { dimensions, theta, scaling };
}

function readScaling(
  config: ModelConfig,
  parameters: ModelConfig,
): Llama3Scaling | LinearScaling | undefined {
  const key = parameters.rope_type === undefined ? "type" : "rope_type";
  switch (readChoice(parameters, key, ropeTypes, "default")) {
    case "linear":
      return { kind: "linear", factor: readNumber(parameters, "factor") };
    case "llama3":
      return {
        kind: "llama3",
        factor: readNumber(parameters, "factor"),
        lowFrequencyFactor: readNumber(parameters, "low_freq_factor"),
        highFrequencyFactor: readNumber(parameters, "high_freq_factor"),
        originalContextLength: readInteger(
          parameters,
          "original_max_position_embeddings",
          parameters.original_max_position_embeddings == null
            ? readInteger(config, "max_position_embeddings")
            : undefined,
        ),
      };
    default:
      return undefined;
  }
}
