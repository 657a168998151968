import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { byteTokenizer } from "../../../cli/testdata/byte_tokenizer.ts";
import { elementCount } from "../../../data/tensor.ts";
import { fromFloat32, writeSafetensors } from "../../../data/mod.ts";
import { describeModel } from "../../../eval/architectures/registry.ts";
import { expectedTensors } from "../../../eval/weights/expected_tensors.ts";
import { createRandom } from "../../../kan/numeric/random.ts";

/** The sizes of GPT-2: 124,439,808 parameters. */
export const GPT2_CONFIG = {
  architectures: ["GPT2LMHeadModel"],
  model_type: "gpt2",
  activation_function: "gelu_new",
  vocab_size: 50257,
  n_positions: 1024,
  n_embd: 768,
  n_head: 12,
  n_layer: 12,
  layer_norm_epsilon: 1e-5,
  tie_word_embeddings: true,
};

/** Standard deviation that GPT-2's weights are drawn with before training. */
const DEVIATION = 0.02;

/**
 * Writes a GPT-2 with random weights in float32 to `folder`, as a model folder. Its tokenizer has a
 * token for each byte and uses 257 of the vocabulary.
 */
export async function writeGpt2SizedModel(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const random = createRandom(1);
  const tensors = [...expectedTensors(describeModel(GPT2_CONFIG, []))].map(([name, shape]) => ({
    name,
    dtype: "F32" as const,
    shape,
    bytes: () => {
      const values = new Float32Array(elementCount(shape));
      if (/ln_.*weight$/.test(name)) values.fill(1);
      else if (shape.length > 1) values.forEach((_, i) => values[i] = DEVIATION * random.normal());
      return fromFloat32("F32", values);
    },
  }));
  await writeSafetensors(join(folder, "model.safetensors"), tensors, { format: "pt" });
  await writeFile(join(folder, "config.json"), JSON.stringify(GPT2_CONFIG));
  await writeFile(
    join(folder, "tokenizer.json"),
    JSON.stringify(byteTokenizer(GPT2_CONFIG.vocab_size)),
  );
  await writeFile(join(folder, "tokenizer_config.json"), "{}");
}
