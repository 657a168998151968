import assert from "node:assert";
import fc from "fast-check";
import { packBytes, readBytes } from "./byte_matrix.ts";

/** A matrix of whole numbers, mostly small, with its factors. */
const coded = (largest: number) =>
  fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 40 })).chain((
    [rows, columns],
  ) =>
    fc.record({
      integers: fc.array(
        fc.oneof(
          { weight: 200, arbitrary: fc.integer({ min: -largest, max: largest }) },
          { weight: 1, arbitrary: fc.integer({ min: -27_000, max: 27_000 }) },
        ),
        { minLength: rows * columns, maxLength: rows * columns },
      ).map((values) => ({ name: "w", rows, columns, data: Float32Array.from(values) })),
      factors: fc.record({
        rows: fc.array(fc.double({ min: 1e-9, max: 1e9, noNaN: true }), {
          minLength: rows,
          maxLength: rows,
        }).map((values) => Float64Array.from(values)),
        columns: fc.array(fc.double({ min: 1e-9, max: 1e9, noNaN: true }), {
          minLength: columns,
          maxLength: columns,
        }).map((values) => Float64Array.from(values)),
      }),
    })
  );

for (const largest of [20, 127, 5000]) {
  for (const swaps of [false, true]) {
    Deno.test(`planes and rest are the numbers: up to ${largest}, ${swaps ? "" : "not "}swapped`, () => {
      fc.assert(fc.property(coded(largest), (matrix) => {
        const packed = packBytes(matrix, swaps);
        if (packed === undefined) return;
        const { rows, columns, planes, sparse } = packed;
        const { integers, factors } = matrix;
        assert.deepEqual(
          [rows, columns],
          swaps ? [integers.columns, integers.rows] : [integers.rows, integers.columns],
        );
        const read = new Float32Array(rows * columns);
        // In two parts, of which the second begins within a row.
        const half = read.length >> 1;
        readBytes(packed, 0, read.subarray(0, half));
        readBytes(packed, half, read.subarray(half));
        for (let row = 0; row < rows; row++) {
          const rest = new Float64Array(columns);
          for (let i = sparse?.starts[row] ?? 0; i < (sparse?.starts[row + 1] ?? 0); i++) {
            rest[sparse!.places[i]!] = sparse!.values[i]!;
          }
          for (let column = 0; column < columns; column++) {
            const [i, j] = swaps ? [column, row] : [row, column];
            const sum = planes.reduce(
              (sum, { bytes, unit }) => sum + unit * bytes[row * columns + column]!,
              rest[column]!,
            );
            assert.equal(sum, integers.data[i * integers.columns + j]!);
            const factor: number = packed.rowFactors[row]! * packed.columnFactors[column]!;
            const expected = factors.rows[i]! * factors.columns[j]!;
            assert.ok(Math.abs(factor / expected - 1) < 1e-6);
            const value = read[row * columns + column]!;
            assert.ok(Math.abs(value - sum * expected) <= 1e-6 * Math.abs(sum * expected));
          }
        }
      }));
    });
  }
}

Deno.test("what bytes do not hold exactly, or cheaply, is left to floats", () => {
  const matrix = (data: number[], factor = 1) => ({
    integers: { name: "w", rows: 1, columns: data.length, data: Float32Array.from(data) },
    factors: {
      rows: Float64Array.of(factor),
      columns: new Float64Array(data.length).fill(1),
    },
  });
  assert.equal(packBytes(matrix(new Array(64).fill(1)), false)!.planes.length, 1);
  assert.equal(packBytes(matrix(new Array(64).fill(1000)), false)!.planes.length, 2);
  assert.equal(packBytes(matrix(new Array(64).fill(100_000)), false), undefined);
  assert.equal(packBytes(matrix([2 ** 25, ...new Array(999).fill(1)]), false), undefined);
  assert.equal(packBytes(matrix([1, 2], 2 ** 120), false), undefined);
});
