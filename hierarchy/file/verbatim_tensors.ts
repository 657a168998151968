import { bytesPerElement } from "../../data/dtype.ts";
import { fromFloat32 } from "../../data/from_float32.ts";
import { elementCount, type StateDict, type WeightTensor } from "../../data/tensor.ts";
import { toFloat32 } from "../../data/to_float32.ts";
import type { StoredTensor } from "./tensor_names.ts";
import { quote } from "../../data/quote.ts";
import { requireFinite } from "./require_finite.ts";

/** The bytes of the tensors that no level codes, one after the other. */
export function encodeVerbatimTensors(
  stored: readonly StoredTensor[],
  weights: StateDict,
): Uint8Array {
  const parts = stored.flatMap(({ name, stored: dtype }) =>
    dtype === undefined ? [] : [fromFloat32(dtype, weights.get(name)!.data)]
  );
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let end = 0;
  for (const part of parts) {
    bytes.set(part, end);
    end += part.length;
  }
  return bytes;
}

/**
 * The tensors that {@linkcode encodeVerbatimTensors} stored, by name. Throws {@linkcode InputError} if a
 * value is not finite.
 */
export function decodeVerbatimTensors(
  stored: readonly StoredTensor[],
  bytes: Uint8Array,
): Map<string, WeightTensor> {
  const tensors = new Map<string, WeightTensor>();
  let start = 0;
  for (const { name, dtype, shape, stored: storedAs } of stored) {
    if (storedAs === undefined) continue;
    const end = start + elementCount(shape) * bytesPerElement(storedAs);
    const data = toFloat32(storedAs, bytes.slice(start, end), `tensor ${quote(name)}`);
    requireFinite(name, data);
    tensors.set(name, { dtype, shape, data });
    start = end;
  }
  return tensors;
}
