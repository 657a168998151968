import assert from "node:assert";
import fc from "fast-check";
import { recoverIntegers } from "./recover_integers.ts";

const factor = fc.double({ min: 2 ** -40, max: 2 ** 40, noNaN: true });

Deno.test("whole numbers come back from their products", () => {
  fc.assert(fc.property(
    fc.array(factor, { minLength: 1, maxLength: 8 }),
    fc.array(factor, { minLength: 1, maxLength: 8 }),
    fc.array(fc.integer({ min: -(2 ** 22), max: 2 ** 22 }), { minLength: 64, maxLength: 64 }),
    (rowFactors, columnFactors, numbers) => {
      const rows = Float64Array.from(rowFactors), columns = Float64Array.from(columnFactors);
      const data = new Float32Array(rows.length * columns.length);
      for (let i = 0; i < data.length; i++) {
        const row = Math.floor(i / columns.length), column = i % columns.length;
        data[i] = numbers[i]! * (rows[row]! * columns[column]!);
      }
      const shape = [rows.length, columns.length];
      const found = recoverIntegers("w", { dtype: "F32", shape, data }, { rows, columns })!;
      found.integers.data.forEach((value, i) => assert.equal(value, numbers[i]!));
    },
  ));
});

Deno.test("what is not made of whole numbers is left", () => {
  const factors = { rows: Float64Array.of(1), columns: Float64Array.of(1, 1) };
  const recover = (...values: number[]) =>
    recoverIntegers("w", { dtype: "F32", shape: [1, 2], data: Float32Array.from(values) }, factors);
  assert.equal(recover(1, 0.5), undefined);
  assert.equal(recover(1, 2 ** 23), undefined);
  assert.equal(recover(1, 2, 3), undefined);
  assert.deepEqual(recover(7, -7)!.integers.data, Float32Array.of(7, -7));
});
