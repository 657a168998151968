import type { WeightTensor } from "../../data/tensor.ts";
import type { CodedMatrix, RowColumnFactors } from "./coded_matrix.ts";

/** Products of larger whole numbers and factors are not sure to be told apart in float32. */
const LARGEST = 2 ** 22;
/** What is added to this has no room for a fraction. */
const ROUNDER = 1.5 * 2 ** 52;

/**
 * The whole numbers that a decoded tensor was made from, its first axis by all others, given their
 * factors. Exact: undefined where any value is not, to the bit, a whole number times its factors.
 *
 * ```ts
 * import { recoverIntegers } from "./recover_integers.ts";
 * import assert from "node:assert";
 *
 * const factors = { rows: Float64Array.of(0.5, 2), columns: Float64Array.of(1, 3) };
 * const tensor = { dtype: "F32" as const, shape: [2, 2], data: Float32Array.of(1, 3, -4, 0) };
 * const { integers } = recoverIntegers("w", tensor, factors)!;
 * assert.deepEqual(integers.data, Float32Array.of(2, 2, -2, 0));
 * ```
 */
export function recoverIntegers(
  name: string,
  { data }: WeightTensor,
  factors: RowColumnFactors,
): CodedMatrix | undefined {
  const rows = factors.rows.length, columns = factors.columns.length;
  if (rows * columns !== data.length) return undefined;
  const integers = new Float32Array(data.length);
  const columnFactors = factors.columns;
  for (let i = 0, at = 0; i < rows; i++) {
    const row = factors.rows[i]!;
    for (let j = 0; j < columns; j++, at++) {
      const value = data[at]!;
      const factor = row * columnFactors[j]!;
      const integer = value / factor + ROUNDER - ROUNDER;
      if (Math.fround(integer * factor) === value && integer <= LARGEST && integer >= -LARGEST) {
        integers[at] = integer;
      } else if (value !== 0) {
        return undefined;
      }
    }
  }
  return { integers: { name, rows, columns, data: integers }, factors };
}
