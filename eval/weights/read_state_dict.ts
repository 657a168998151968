import { holdAsStored } from "../../data/half_values.ts";
import { readTensorRows } from "../../data/read_rows.ts";
import { releaseMemory } from "../../data/release_memory.ts";
import type { StateDict, WeightSource, WeightTensor } from "../../data/tensor.ts";
import { shareFloat32Array } from "../../workers/shared_array.ts";
import { type Checkpoint, modelTensors } from "./model_tensors.ts";

/**
 * Reads all weights of a model, its buffers and a copy of the tied embedding left out, after
 * comparing names and shapes with the config. The values are in shared memory, where there is any, so
 * that workers need no copy of them; with `asStored`, those of F16 and BF16 tensors stay in 16 bits
 * until they are asked for, each time anew.
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
  { asStored = false }: { readonly asStored?: boolean } = {},
): Promise<StateDict> {
  const tensors = await modelTensors({ config, weights });
  const dict = new Map<string, WeightTensor>();
  for (const { name } of tensors) {
    if (asStored) {
      dict.set(name, await readAsStored(weights, name));
      continue;
    }
    const tensor = await weights.read(name);
    dict.set(name, { ...tensor, data: shareFloat32Array(tensor.data) });
  }
  return dict;
}

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
