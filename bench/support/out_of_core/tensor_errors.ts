import type { WeightSource } from "../../../data/mod.ts";
import { readTensorRows } from "../../../data/read_rows.ts";
import { elementCount } from "../../../data/tensor.ts";

/** Values of both models that are in memory at once, about. */
const PIECE = 2 ** 22;

/**
 * The sum of the squared errors of each tensor over the sum of its squares, some rows at a time, in the
 * order of the original.
 */
export async function relativeErrors(
  original: WeightSource,
  restored: WeightSource,
): Promise<Map<string, number>> {
  const errors = new Map<string, number>();
  for (const { name, shape } of original.tensors) {
    const [rows = 1, ...others] = shape;
    const most = Math.max(1, Math.floor(PIECE / Math.max(1, elementCount(others))));
    let missed = 0, energy = 0;
    for (let first = 0; first < rows; first += most) {
      const numbers = Int32Array.from(
        { length: Math.min(most, rows - first) },
        (_, i) => first + i,
      );
      const { data: values } = await readTensorRows(original, name, numbers);
      const { data: found } = await readTensorRows(restored, name, numbers);
      for (let i = 0; i < values.length; i++) {
        energy += values[i]! ** 2;
        missed += (values[i]! - found[i]!) ** 2;
      }
    }
    errors.set(name, energy > 0 ? missed / energy : 0);
  }
  return errors;
}
