import { holdAsStored } from "../../data/half_values.ts";
import { readTensorRows } from "../../data/read_rows.ts";
import { releaseMemory } from "../../data/release_memory.ts";
import {
  elementCount,
  type StateDict,
  type WeightSource,
  type WeightTensor,
} from "../../data/tensor.ts";
import { copyToFile } from "../../data/tensor_file.ts";
import { shareFloat32Array } from "../../workers/shared_array.ts";
import { type Checkpoint, modelTensors } from "./model_tensors.ts";

/**
 * Reads all weights of a model, its buffers and a copy of the tied embedding left out, after
 * comparing names and shapes with the config. The values are in shared memory, where there is any, so
 * that workers need no copy of them; with `asStored`, those of F16 and BF16 tensors stay in 16 bits
 * until they are asked for, each time anew; those of large tensors in files of a `folder`, if one is
 * named, for which its owner makes room and which it removes.
 *
 * ```ts
 * import { embeddedModelPath, openModel } from "@kanpress/kanpress/data";
 * import { readStateDict } from "@kanpress/kanpress/eval";
 * import assert from "node:assert";
 *
 * const weights = await readStateDict(await openModel(embeddedModelPath()));
 * assert.deepEqual(weights.get("transformer.wte.weight")!.shape, [4096, 256]);
 * ```
 */
export async function readStateDict(
  { config, weights }: Checkpoint,
  { asStored = false, folder }: { readonly asStored?: boolean; readonly folder?: string } = {},
): Promise<StateDict> {
  const tensors = await modelTensors({ config, weights });
  const dict = new Map<string, WeightTensor>();
  for (const [number, info] of tensors.entries()) {
    const { name, shape } = info;
    if (folder !== undefined && elementCount(shape) >= FEWEST_IN_FILE) {
      dict.set(name, await copyToFile(weights, info, `${folder}/weights-${number}`));
      continue;
    }
    if (asStored) {
      dict.set(name, await readAsStored(weights, name));
      continue;
    }
    const tensor = await weights.read(name);
    dict.set(name, { ...tensor, data: shareFloat32Array(tensor.data) });
  }
  return dict;
}

/** Values of a tensor from which on it is worth a file. */
const FEWEST_IN_FILE = 2 ** 17;

/** Reads a tensor into memory of its own, of which what is not needed is given back at once. */
async function readAsStored(weights: WeightSource, name: string): Promise<WeightTensor> {
  const { shape: [rows] } = weights.tensors.find((tensor) => tensor.name === name)!;
  // A number is not read by rows, and takes no memory worth a word.
  if (rows === undefined) return await weights.read(name);
  const all = Int32Array.from({ length: rows }, (_, row) => row);
  const tensor = await readTensorRows(weights, name, all);
  const held = holdAsStored(tensor);
  if (held.half === undefined) return { ...tensor, data: shareFloat32Array(tensor.data) };
  releaseMemory(tensor.data);
  return held;
}
