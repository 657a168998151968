import { elementCount, type WeightSource, type WeightTensor } from "./tensor.ts";

/**
 * Reads some rows (steps along the first axis) of a tensor, given by ascending numbers, without
 * holding the others where the source can do that. Throws {@linkcode InputError} if the bytes
 * are damaged.
 *
 * ```ts
 * import { encodeSafetensors, memorySource, openSafetensors } from "@kanpress/kanpress/data";
 * import { readTensorRows } from "./read_rows.ts";
 * import assert from "node:assert";
 *
 * const bytes = encodeSafetensors([
 *   { name: "w", dtype: "U8", shape: [3, 2], bytes: Uint8Array.of(1, 2, 3, 4, 5, 6) },
 * ]);
 * const file = await openSafetensors(memorySource(bytes, "model.safetensors"));
 * const { shape, data } = await readTensorRows(file, "w", Int32Array.of(0, 2));
 * assert.deepEqual([shape, [...data]], [[2, 2], [1, 2, 5, 6]]);
 * ```
 */
export async function readTensorRows(
  source: WeightSource,
  name: string,
  rows: Int32Array,
): Promise<WeightTensor> {
  if (source.readRows !== undefined) return await source.readRows(name, rows);
  return pickRows(await source.read(name), rows);
}

/** Some rows of a tensor, in memory of their own. */
export function pickRows({ dtype, shape, data }: WeightTensor, rows: Int32Array): WeightTensor {
  const others = shape.slice(1);
  const size = elementCount(others);
  const picked = new Float32Array(rows.length * size);
  rows.forEach((row, place) => {
    picked.set(data.subarray(row * size, (row + 1) * size), place * size);
  });
  return { dtype, shape: [rows.length, ...others], data: picked };
}
