import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type DType, fromFloat32, writeSafetensors } from "../../data/mod.ts";
import { elementCount } from "../../data/tensor.ts";
import { createRandom } from "../../kan/numeric/random.ts";
import { byteTokenizer } from "./byte_tokenizer.ts";

/** Sizes of the random GPT-2: 7,936 parameters, one token a byte. */
export const TINY_CONFIG = {
  architectures: ["GPT2LMHeadModel"],
  model_type: "gpt2",
  activation_function: "gelu_new",
  vocab_size: 257,
  n_positions: 32,
  n_embd: 16,
  n_head: 2,
  n_layer: 1,
  layer_norm_epsilon: 1e-5,
  tie_word_embeddings: true,
};

/** What to do differently from a sound model. */
export interface TinyModelChanges {
  /** Tokens that it can read at once, 32 if omitted. */
  readonly positions?: number;
  /** Fields of config.json to replace. */
  readonly config?: Record<string, unknown>;
  /** Changes a tensor's values before they are written. */
  readonly alter?: (name: string, values: Float32Array) => void;
}

/** Writes a random GPT-2 with a byte tokenizer to `folder`, as a model folder. */
export async function writeTinyModel(
  folder: string,
  { positions = TINY_CONFIG.n_positions, config, alter }: TinyModelChanges = {},
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const random = createRandom(1);
  const entries = Object.entries(tinyShapes(positions)).map(([name, shape]) => {
    const isGain = /ln_.*weight$/.test(name);
    const values = Float32Array.from(
      { length: elementCount(shape) },
      () => (isGain ? 1 : 0) + 0.2 * random.normal(),
    );
    alter?.(name, values);
    const dtype: DType = "F32";
    return { name, dtype, shape, bytes: fromFloat32(dtype, values) };
  });
  await writeSafetensors(join(folder, "model.safetensors"), entries, { format: "pt" });
  await writeFile(
    join(folder, "config.json"),
    JSON.stringify({ ...TINY_CONFIG, n_positions: positions, ...config }),
  );
  await writeFile(join(folder, "tokenizer.json"), JSON.stringify(byteTokenizer()));
  await writeFile(join(folder, "tokenizer_config.json"), "{}");
}

function tinyShapes(positions: number): Record<string, number[]> {
  const { vocab_size: vocabulary, n_embd: width } = TINY_CONFIG;
  const block = "transformer.h.0";
  return {
    "transformer.wte.weight": [vocabulary, width],
    "transformer.wpe.weight": [positions, width],
    [`${block}.ln_1.weight`]: [width],
    [`${block}.ln_1.bias`]: [width],
    [`${block}.attn.c_attn.weight`]: [width, 3 * width],
    [`${block}.attn.c_attn.bias`]: [3 * width],
    [`${block}.attn.c_proj.weight`]: [width, width],
    [`${block}.attn.c_proj.bias`]: [width],
    [`${block}.ln_2.weight`]: [width],
    [`${block}.ln_2.bias`]: [width],
    [`${block}.mlp.c_fc.weight`]: [width, 4 * width],
    [`${block}.mlp.c_fc.bias`]: [4 * width],
    [`${block}.mlp.c_proj.weight`]: [4 * width, width],
    [`${block}.mlp.c_proj.bias`]: [width],
    "transformer.ln_f.weight": [width],
    "transformer.ln_f.bias": [width],
  };
}
