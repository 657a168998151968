import assert from "node:assert";
import fc from "fast-check";
import { diagonalCount, diagonalOf, valuesBefore } from "./diagonals.ts";
import { RUNS } from "../../data/side_by_side.ts";
import { DiagonalBands } from "./diagonal_bands.ts";

Deno.test("bands come in order, are full but for the last, and hold each value at its row", () => {
  const size = fc.integer({ min: 1, max: 20 });
  fc.assert(fc.property(size, size, fc.nat(), fc.integer({ min: 1, max: 70 }), (...given) => {
    const [rows, columns, start, run] = given;
    const count = diagonalCount({ rows, columns });
    const range = { first: start % count, end: count };
    const before = valuesBefore({ rows, columns }, range.first);
    // Values are numbered in the order in which they come.
    const all = Float32Array.from({ length: rows * columns - before }, (_, i) => before + i);
    let next = range.first;
    const bands = new DiagonalBands({ rows, columns }, ({ first, end, values, origins }) => {
      assert.equal(first, next);
      assert.equal(end, Math.min(first + RUNS, count));
      for (let number = first; number < end; number++) {
        const { row, length, position } = diagonalOf({ rows, columns }, number);
        for (let t = 0; t < length; t++) {
          assert.equal(values[origins[number - first]! + row + t], position + t);
        }
      }
      next = end;
    });
    for (let at = 0; at < all.length; at += run) bands.put(range, at, all.subarray(at, at + run));
    assert.equal(next, count);
  }));
});
