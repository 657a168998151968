import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { byteTokenizer } from "../../../cli/testdata/byte_tokenizer.ts";
import { fromFloat32, writeSafetensors } from "../../../data/mod.ts";
import { elementCount } from "../../../data/tensor.ts";
import { describeModel } from "../../../eval/architectures/registry.ts";
import { expectedTensors } from "../../../eval/weights/expected_tensors.ts";
import { createRandom } from "../../../kan/numeric/random.ts";

/** What a model of the Llama family is like. */
export function llama(
  [hidden, inner, layers]: readonly [hidden: number, inner: number, layers: number],
  [heads, keyHeads]: readonly [heads: number, keyHeads: number],
  vocabulary: number,
  tied = true,
) {
  return {
    architectures: ["LlamaForCausalLM"],
    model_type: "llama",
    hidden_size: hidden,
    intermediate_size: inner,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    num_key_value_heads: keyHeads,
    max_position_embeddings: 2048,
    vocab_size: vocabulary,
    rms_norm_eps: 1e-5,
    tie_word_embeddings: tied,
  };
}

/** Configs in the shapes of published models, by name. */
export const SHAPES = {
  "stories15M": llama([288, 768, 6], [6, 6], 32_000),
  "stories42M": llama([512, 1376, 8], [8, 8], 32_000),
  "stories110M": llama([768, 2048, 12], [12, 12], 32_000),
  "SmolLM2-135M": llama([576, 1536, 30], [9, 3], 49_152),
  "SmolLM2-360M": llama([960, 2560, 32], [15, 5], 49_152),
  "Qwen2.5-0.5B": llama([896, 4864, 24], [14, 2], 151_936),
  "Llama-3.2-1B": llama([2048, 8192, 16], [32, 8], 128_256),
  "Llama-3.1-8B": llama([4096, 14_336, 32], [32, 8], 128_256, false),
} as const;

/** Standard deviation of the weights. */
const DEVIATION = 0.02;

/**
 * Writes a model of a shape with random weights in BF16 as a model folder. Its tokenizer has a token for
 * each byte and uses 257 of the vocabulary.
 */
export async function writeShape(config: typeof SHAPES[keyof typeof SHAPES], folder: string) {
  await mkdir(folder, { recursive: true });
  const random = createRandom(1);
  const tensors = [...expectedTensors(describeModel(config, []))].map(([name, shape]) => ({
    name,
    dtype: "BF16" as const,
    shape,
    bytes: () => {
      const values = new Float32Array(elementCount(shape));
      if (shape.length === 1) values.fill(1);
      else for (let i = 0; i < values.length; i++) values[i] = DEVIATION * random.normal();
      return fromFloat32("BF16", values);
    },
  }));
  await writeSafetensors(join(folder, "model.safetensors"), tensors, { format: "pt" });
  await writeFile(join(folder, "config.json"), JSON.stringify(config));
  const tokenizer = JSON.stringify(byteTokenizer(config.vocab_size));
  await writeFile(join(folder, "tokenizer.json"), tokenizer);
  await writeFile(join(folder, "tokenizer_config.json"), "{}");
}
