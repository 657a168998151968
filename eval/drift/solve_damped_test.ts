import assert from "node:assert";
import { createRandom } from "../../kan/numeric/random.ts";
import { solveDamped } from "./solve_damped.ts";
import { plainMultiply } from "./testdata/plain_multiply.ts";

Deno.test("(H + λ I) X is B, within a block and beyond", async () => {
  const random = createRandom(3);
  for (const [size, columns] of [[1, 1], [9, 4], [150, 3], [300, 2]] as const) {
    const root = Float64Array.from({ length: size * size }, () => random.normal());
    const moment = new Float64Array(size * size);
    for (let i = 0; i < size; i++) {
      for (let j = 0; j < size; j++) {
        for (let k = 0; k < size; k++) {
          moment[i * size + j]! += root[i * size + k]! * root[j * size + k]!;
        }
      }
    }
    const b = Float64Array.from({ length: size * columns }, () => random.normal());
    const damping = 0.1;
    let trace = 0;
    for (let i = 0; i < size; i++) trace += moment[i * size + i]!;
    const x = await solveDamped(moment, b, { size, columns, damping }, plainMultiply);
    for (let i = 0; i < size; i++) {
      for (let j = 0; j < columns; j++) {
        let sum = damping * trace / size * x[i * columns + j]!;
        for (let k = 0; k < size; k++) sum += moment[i * size + k]! * x[k * columns + j]!;
        assert.ok(Math.abs(sum - b[i * columns + j]!) < 1e-4, `${size}: ${i}, ${j}`);
      }
    }
  }
});
