import { holdAsStored } from "../../data/half_values.ts";
import type { StateDict, WeightTensor } from "../../data/tensor.ts";
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
    const tensor = await weights.read(name);
    const held = asStored ? holdAsStored(tensor) : tensor;
    dict.set(
      name,
      held.half === undefined ? { ...tensor, data: shareFloat32Array(tensor.data) } : held,
    );
  }
  return dict;
}
