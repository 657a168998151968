import assert from "node:assert";
import { createRandom } from "../../../kan/numeric/random.ts";
import { solveSymmetric } from "./solve_symmetric.ts";

Deno.test("A X is B", () => {
  const random = createRandom(3);
  const size = 9, columns = 4;
  const root = Float64Array.from({ length: size * size }, () => random.normal());
  const entry = (values: ArrayLike<number>, width: number, i: number, j: number) =>
    values[i * width + j]!;
  const a = Float64Array.from({ length: size * size }, (_, at) => {
    const i = Math.floor(at / size), j = at % size;
    let sum = i === j ? 0.1 : 0;
    for (let k = 0; k < size; k++) sum += entry(root, size, i, k) * entry(root, size, j, k);
    return sum;
  });
  const b = Float64Array.from({ length: size * columns }, () => random.normal());
  const x = solveSymmetric(a, b, size, columns);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < columns; j++) {
      let sum = 0;
      for (let k = 0; k < size; k++) sum += entry(a, size, i, k) * entry(x, columns, k, j);
      assert.ok(Math.abs(sum - entry(b, columns, i, j)) < 1e-9);
    }
  }
  assert.throws(() => solveSymmetric([1, 2, 2, 1], [1, 1], 2, 1), /not positive definite/);
});
