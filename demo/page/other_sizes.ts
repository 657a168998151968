import { InputError } from "../../data/input_error.ts";
import type { TensorInfo, WeightSource } from "../../data/tensor.ts";
import { elementCount } from "../../data/tensor.ts";
import type { ModelConfig } from "../../eval/architectures/config.ts";
import { planGguf } from "../../gguf/plan_gguf.ts";
import type { GgufWeightType } from "../../gguf/tensor_types.ts";
import type { TokenizerFiles } from "../../gguf/tokenizer_metadata.ts";
import type { OtherSize } from "./messages.ts";

/** A model, as far as sizes depend on it. */
export interface SizedModel {
  /** Its config.json. */
  readonly config: ModelConfig;
  /** Its tensors, tied ones once. */
  readonly tensors: readonly TensorInfo[];
  /** Its tokenizer, which GGUF files hold. */
  readonly tokenizer?: TokenizerFiles;
}

/** Types of GGUF that people download. */
const GGUF_TYPES: readonly GgufWeightType[] = ["q8_0", "q4_k"];

/**
 * What a model would be as the files that others run, largest first: whole GGUF files, to the byte, and
 * the weights alone of ONNX files. Formats that cannot hold the model are left out.
 */
export function otherSizes({ config, tensors, tokenizer }: SizedModel): OtherSize[] {
  const values = tensors.reduce((sum, { shape }) => sum + elementCount(shape), 0);
  const sizes: OtherSize[] = [
    { format: "ONNX, 16 bits", bytes: 2 * values },
    { format: "ONNX, 8 bits", bytes: values },
  ];
  const weights: WeightSource = {
    tensors,
    read: () => Promise.reject(new Error("sizes depend on no values")),
  };
  for (const type of GGUF_TYPES) {
    try {
      const model = { config, weights, ...(tokenizer && { tokenizer }) };
      const bytes = planGguf(model, type).byteLength;
      sizes.push({ format: `GGUF ${type.toUpperCase()}`, bytes });
    } catch (error) {
      // llama.cpp knows no such model, or no such tokenizer.
      if (!(error instanceof InputError)) throw error;
    }
  }
  return sizes.sort((a, b) => b.bytes - a.bytes);
}
