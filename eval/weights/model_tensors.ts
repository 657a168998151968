import { readTensorRows } from "../../data/read_rows.ts";
import { encodeHeader, tensorByteLength } from "../../data/safetensors_encode.ts";
import type { TensorInfo, WeightSource } from "../../data/tensor.ts";
import type { ModelConfig } from "../architectures/config.ts";
import { architectureOf, describeModel, isIgnorableTensor } from "../architectures/registry.ts";
import { checkTensors } from "./expected_tensors.ts";

/** Elements of a head and an embedding that are compared at once. */
const comparedAtOnce = 2 ** 20;

/** Weights with the config that says what they are. */
export interface Checkpoint {
  /** The model's `config.json`. */
  readonly config: ModelConfig;
  /** The model's weights. */
  readonly weights: WeightSource;
}

/**
 * The tensors of a checkpoint that its model consists of, in order, after comparing names and shapes
 * with the config. Buffers are left out, and so is a stored head that is the embedding once more,
 * where `tie_word_embeddings` ties them. A stored head of other values is the model's head, whatever
 * `tie_word_embeddings` says, as in transformers 5. Throws {@linkcode InputError} if tensors are
 * missing, too many or of other shapes.
 */
export async function modelTensors({ config, weights }: Checkpoint): Promise<TensorInfo[]> {
  const { tensors } = weights;
  const model = describeModel(config, tensors.map(({ name }) => name));
  checkTensors(config, model, tensors);
  const { headWeight } = architectureOf(config);
  const kept: TensorInfo[] = [];
  for (const tensor of tensors) {
    const { name } = tensor;
    const isLeftOut = isIgnorableTensor(config, name) && (name !== headWeight ||
      name !== model.head.weight || await isSame(weights, tensor, model.tokenEmbedding));
    if (!isLeftOut) kept.push(tensor);
  }
  return kept;
}

/** Whether two tensors of one shape have the same values; reads a part of both at a time. */
async function isSame(
  weights: WeightSource,
  { name, shape }: TensorInfo,
  other: string,
): Promise<boolean> {
  const [rows = 0, columns = 1] = shape;
  const step = Math.max(1, Math.floor(comparedAtOnce / columns));
  for (let start = 0; start < rows; start += step) {
    const count = Math.min(step, rows - start);
    const wanted = Int32Array.from({ length: count }, (_, i) => start + i);
    const one = (await readTensorRows(weights, name, wanted)).data;
    const two = (await readTensorRows(weights, other, wanted)).data;
    if (one.some((value, i) => value !== two[i])) return false;
  }
  return true;
}

/**
 * Bytes that a model's weight files would have without what its model does not need: `fileBytes` of
 * all files, less the values and the header entries of the tensors that are not in `kept`.
 */
export function bytesOfKept(
  fileBytes: number,
  tensors: readonly TensorInfo[],
  kept: readonly TensorInfo[],
): number {
  const names = new Set(kept.map(({ name }) => name));
  const left = tensors.filter(({ name }) => !names.has(name));
  if (left.length === 0) return fileBytes;
  const values = left.reduce((sum, tensor) => sum + tensorByteLength(tensor), 0);
  return fileBytes - values - (encodeHeader(tensors, {}).length - encodeHeader(kept, {}).length);
}
