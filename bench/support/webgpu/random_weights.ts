import { elementCount, type StateDict, withValues } from "../../../data/tensor.ts";
import type { ModelConfig } from "../../../eval/architectures/config.ts";
import { describeModel } from "../../../eval/architectures/registry.ts";
import { expectedTensors } from "../../../eval/weights/expected_tensors.ts";

/** SmolLM2-135M's sizes. */
export const smolLm2 = {
  model_type: "llama",
  hidden_size: 576,
  intermediate_size: 1536,
  num_attention_heads: 9,
  num_key_value_heads: 3,
  num_hidden_layers: 30,
  max_position_embeddings: 8192,
  rope_theta: 100000,
  rms_norm_eps: 1e-5,
  tie_word_embeddings: true,
  vocab_size: 49152,
} satisfies ModelConfig;

/** Numbers evenly from -1 to 1, fast (xorshift); the same for the same seed. */
function numbers(seed: number): () => number {
  let state = Math.imul(seed, 0x9e3779b1) | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state / 0x80000000;
  };
}

/** Random weights in the shapes of a config, float16 numbers as published checkpoints have them. */
export function randomWeights(config: ModelConfig, seed: number): StateDict {
  const next = numbers(seed);
  const shapes = expectedTensors(describeModel(config, []));
  return new Map(Array.from(shapes, ([name, shape]) => {
    const [rows = 1, columns = rows] = shape;
    const centre = shape.length === 1 && name.endsWith("weight") ? 1 : 0;
    const spread = shape.length === 1 ? 0.1 : Math.sqrt(6 / (rows + columns));
    const halves = new Float16Array(elementCount(shape));
    for (let i = 0; i < halves.length; i++) halves[i] = centre + spread * next();
    return [name, { dtype: "F16", shape, data: shareable(halves) }];
  }));
}

/** Weights of which every one is changed by up to a share: as a compressed model's are. */
export function disturb(weights: StateDict, share: number, seed: number): StateDict {
  const next = numbers(seed);
  return new Map(Array.from(weights, ([name, tensor]) => {
    const data = shareable(tensor.data);
    for (let i = 0; i < data.length; i++) data[i]! *= 1 + share * next();
    return [name, withValues(tensor, data)];
  }));
}

/** A copy in memory that workers share. */
function shareable(values: Float16Array | Float32Array): Float32Array {
  const data = new Float32Array(new SharedArrayBuffer(4 * values.length));
  data.set(values);
  return data;
}
