import { sha256OfParts } from "./file_array.ts";
import { isInFile, releaseExpanded, valuePieces } from "./half_values.ts";
import { sha256, sha256OfJson } from "./sha256.ts";
import type { StateDict, WeightSource } from "./tensor.ts";

/**
 * SHA-256, in base64, of the names, shapes and float32 values of weights. Neither the element type
 * nor the order in which they are stored makes a difference, nor how many files they are in. Tensors
 * of a {@linkcode WeightSource} are read one at a time.
 *
 * It is the hash of a list in JSON without spaces, in UTF-8, which has `[name, shape, hash]` for each
 * tensor: the hash is the SHA-256, in base64, of its values in little-endian order. The list is in
 * the order of the names' UTF-16 code units.
 *
 * ```ts
 * import { weightsDigest } from "@kanpress/kanpress/data";
 * import assert from "node:assert";
 *
 * const tensor = { dtype: "F32" as const, shape: [1], data: Float32Array.of(1) };
 * assert.equal((await weightsDigest(new Map([["w", tensor]]))).length, 44);
 * ```
 */
export async function weightsDigest(weights: StateDict | WeightSource): Promise<string> {
  const names = "tensors" in weights
    ? weights.tensors.map(({ name }) => name)
    : [...weights.keys()];
  const rows: [name: string, shape: readonly number[], hash: string][] = [];
  for (const name of names.toSorted()) {
    const tensor = "tensors" in weights ? await weights.read(name) : weights.get(name)!;
    if (isInFile(tensor)) {
      rows.push([name, tensor.shape, sha256OfParts(valuePieces(tensor))]);
      continue;
    }
    const { data } = tensor;
    rows.push([name, tensor.shape, await sha256(data)]);
    releaseExpanded(tensor, data);
  }
  return await sha256OfJson(rows);
}
