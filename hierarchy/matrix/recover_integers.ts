import type { WeightTensor } from "../../data/tensor.ts";
import type { CodedMatrix, RowColumnFactors } from "./coded_matrix.ts";

/** Products of larger whole numbers and factors are not sure to be told apart in float32. */
const LARGEST = 2 ** 22;

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
  for (let i = 0, at = 0; i < rows; i++) {
    const row = factors.rows[i]!;
    for (let j = 0; j < columns; j++, at++) {
      const value = data[at]!;
      if (value === 0) continue;
      const factor = row * factors.columns[j]!;
      const integer = Math.round(value / factor);
      if (Math.abs(integer) > LARGEST || Math.fround(integer * factor) !== value) return undefined;
      integers[at] = integer;
    }
  }
  return { integers: { name, rows, columns, data: integers }, factors };
}
