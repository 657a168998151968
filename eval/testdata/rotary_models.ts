import type { StateDict } from "../../data/tensor.ts";
import { toFloat32 } from "../../data/to_float32.ts";
import type { ModelConfig } from "../architectures/config.ts";
import recorded from "./rotary_models.json" with { type: "json" };

/** What transformers made of one kind of rotary positions. */
export interface RotaryCase {
  readonly name: string;
  readonly config: ModelConfig;
  /** Logits of the last of this many tokens. */
  readonly logits: readonly { readonly length: number; readonly last: readonly number[] }[];
}

/** The same small random Llama with every kind of rotary positions. */
export const rotaryCases: readonly RotaryCase[] = recorded.cases.map(({ config, ...rest }) => ({
  ...rest,
  config: { ...recorded.config, ...config },
}));

/** The text that it read. */
export const rotaryTokens = Int32Array.from(recorded.ids);

/** Its weights. */
export const rotaryWeights: StateDict = new Map(
  Object.entries(recorded.tensors).map(([name, { shape, f16 }]) => [
    name,
    { shape, dtype: "F16" as const, data: toFloat32("F16", Uint8Array.fromBase64(f16)) },
  ]),
);
