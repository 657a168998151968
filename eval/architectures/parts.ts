import { type ModelConfig, readNumber } from "./config.ts";
import type { LinearDescription, NormDescription } from "./description.ts";

/** PyTorch's linear layer of this name. */
export function linear(
  name: string,
  inputs: number,
  outputs: number,
  bias: boolean,
): LinearDescription {
  const layout = "outputsByInputs";
  const description = { weight: `${name}.weight`, inputs, outputs, layout } as const;
  return bias ? { ...description, bias: `${name}.bias` } : description;
}

/** Layer normalization with scale and shift. */
export function layerNorm(name: string, size: number, epsilon: number): NormDescription {
  return { kind: "layerNorm", weight: `${name}.weight`, bias: `${name}.bias`, size, epsilon };
}

/** Root-mean-square normalization; `epsilon` where the config does not say it in `rms_norm_eps`. */
export function rmsNorm(
  config: ModelConfig,
  name: string,
  size: number,
  epsilon: number,
): NormDescription {
  const own = readNumber(config, "rms_norm_eps", epsilon);
  return { kind: "rmsNorm", weight: `${name}.weight`, size, epsilon: own };
}
