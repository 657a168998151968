import assert from "node:assert";
import fc from "fast-check";
import { createRandom } from "../../kan/numeric/random.ts";
import { lowerTriangle } from "../matrix/triangle.ts";
import { factorTriangle, upperFactor } from "./upper_factor.ts";
import { subtractRows } from "./subtract_rows.ts";

/** Second moment of `count` random vectors of a size. */
function randomMoment(size: number, count: number, seed: number): Float64Array {
  const random = createRandom(seed);
  const moment = new Float64Array(size * size);
  for (let t = 0; t < count; t++) {
    const x = Float64Array.from({ length: size }, () => random.normal());
    for (let i = 0; i < size; i++) {
      for (let j = 0; j < size; j++) moment[i * size + j]! += x[i]! * x[j]!;
    }
  }
  return moment;
}

Deno.test("upperFactor() times its transpose is the damped matrix", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 0, max: 30 }),
      fc.integer(),
      (size, count, seed) => {
        const moment = randomMoment(size, count, seed);
        const trace = Array.from({ length: size }, (_, i) => moment[i * size + i]!)
          .reduce((sum, value) => sum + value, 0);
        const ridge = trace > 0 ? 0.01 * trace / size : 1;
        const factor = upperFactor(moment, size, 0.01);
        for (let i = 0; i < size; i++) {
          for (let j = 0; j < size; j++) {
            let product = 0;
            for (let k = 0; k < size; k++) product += factor[i * size + k]! * factor[j * size + k]!;
            const expected = moment[i * size + j]! + (i === j ? ridge : 0);
            assert.ok(Math.abs(product - expected) < 1e-9 * (1 + trace));
            if (j < i) assert.equal(factor[i * size + j], 0);
          }
          assert.ok(factor[i * size + i]! > 0);
        }
      },
    ),
    { numRuns: 50 },
  );
});

Deno.test("factorTriangle() gives the same bits with and without the kernel", () => {
  const moment = randomMoment(90, 60, 5);
  const [expected, actual] = [lowerTriangle(moment, 90), lowerTriangle(moment, 90)];
  factorTriangle(expected, 90, 0.01, subtractRows);
  factorTriangle(actual, 90, 0.01);
  assert.deepEqual(actual, expected);
});
