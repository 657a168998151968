import assert from "node:assert";
import fc from "fast-check";
import { createRandom } from "../../kan/numeric/random.ts";
import { semiOrthogonalMatrix } from "./semi_orthogonal.ts";

Deno.test("semiOrthogonalMatrix() has orthonormal columns or rows, whichever are fewer", () => {
  const size = fc.integer({ min: 1, max: 20 });
  fc.assert(fc.property(size, size, fc.nat(), (rows, columns, seed) => {
    const matrix = semiOrthogonalMatrix(rows, columns, createRandom(seed));
    const tall = rows >= columns;
    const at = (i: number, k: number) => tall ? matrix[k * columns + i]! : matrix[i * columns + k]!;
    for (let i = 0; i < Math.min(rows, columns); i++) {
      for (let j = 0; j <= i; j++) {
        let product = 0;
        for (let k = 0; k < Math.max(rows, columns); k++) product += at(i, k) * at(j, k);
        assert.ok(Math.abs(product - (i === j ? 1 : 0)) < 1e-12);
      }
    }
  }));
});
