import assert from "node:assert";
import fc from "fast-check";
import { transpose } from "./transpose.ts";

Deno.test("transpose() swaps rows and columns, and twice is nothing", () => {
  fc.assert(fc.property(fc.nat(70), fc.nat(70), (rows, columns) => {
    const data = Float32Array.from({ length: rows * columns }, (_, i) => i);
    const transposed = transpose(data, rows, columns);
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++) assert.equal(transposed[j * rows + i], i * columns + j);
    }
    assert.deepEqual(transpose(transposed, columns, rows), data);
  }));
});
