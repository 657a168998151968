import { InputError } from "../../data/input_error.ts";
import { quote } from "../../data/quote.ts";
import type { ModelConfig } from "../architectures/config.ts";

/** How methods that quantize models name what they store in the place of a weight. */
const SIGNS: readonly [RegExp, string][] = [
  [/\.weight\.(absmax|quant_map|quant_state\.bitsandbytes__\w+)$/, "bitsandbytes in 4 bits"],
  [/\.(SCB|weight_format)$/, "bitsandbytes in 8 bits"],
  [/\.g_idx$/, "GPTQ"],
  [/\.(qweight|qzeros)$/, "GPTQ or AWQ"],
  [/\.weight_packed$/, "compressed-tensors"],
  [/\.(weight_scale(_inv|_2)?|input_scale)$/, "fp8 or int8 with scales"],
  [/_(blocks|scales)$/, "MXFP4"],
  [/\.W_q$/, "HQQ"],
  [/\.(codes|codebooks)$/, "AQLM"],
];

/** transformers' names of methods in `quantization_config`. */
const METHODS: Readonly<Record<string, string>> = {
  awq: "AWQ",
  gptq: "GPTQ",
  bitsandbytes: "bitsandbytes",
  fp8: "fp8 with scales",
  fbgemm_fp8: "fp8 with scales",
  "compressed-tensors": "compressed-tensors",
  mxfp4: "MXFP4",
  hqq: "HQQ",
  aqlm: "AQLM",
};

/**
 * Throws an {@linkcode InputError} that says what a checkpoint is whose weights are quantized
 * already. Their tensors' names decide; config.json's `quantization_config` alone does not, which is
 * often left over beside weights that are not quantized.
 */
export function refuseQuantized(config: ModelConfig, names: Iterable<string>): void {
  for (const name of names) {
    const sign = SIGNS.find(([pattern]) => pattern.test(name));
    if (sign === undefined) continue;
    const settings = config.quantization_config as { quant_method?: unknown } | null | undefined;
    const given = String(settings?.quant_method);
    const method = Object.hasOwn(METHODS, given) ? METHODS[given] : sign[1];
    throw new InputError(
      `its weights are quantized already, by ${method} (it has the tensor ${quote(name)}); ` +
        "take the model that it was made from, in float32, float16 or bfloat16",
    );
  }
}
