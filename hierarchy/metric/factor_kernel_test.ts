import assert from "node:assert";
import fc from "fast-check";
import { createRandom } from "../../kan/numeric/random.ts";
import { triangleSize } from "../matrix/triangle.ts";
import { subtractRows } from "./subtract_rows.ts";
import { createFactorKernel } from "./factor_kernel.ts";

const kernel = createFactorKernel()!;

function randomTriangle(size: number, seed: number): Float64Array {
  const random = createRandom(seed);
  return Float64Array.from({ length: triangleSize(size) }, () => random.normal());
}

Deno.test("the kernel subtracts what the reference subtracts, to the bit", () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(40), { minLength: 4, maxLength: 4 }),
      fc.nat(1000),
      (cuts, seed) => {
        const [a, b, c, d] = cuts.sort((x, y) => x - y) as [number, number, number, number];
        const expected = randomTriangle(41, seed), actual = randomTriangle(41, seed);
        subtractRows(expected, [c, d], [a, b]);
        kernel(actual, [c, d], [a, b]);
        assert.deepEqual(actual, expected);
      },
    ),
    { numRuns: 40 },
  );
});

Deno.test("the kernel cuts large products into panels", () => {
  const expected = randomTriangle(720, 1), actual = randomTriangle(720, 1);
  subtractRows(expected, [560, 720], [3, 559]);
  kernel(actual, [560, 720], [3, 559]);
  assert.deepEqual(actual, expected);
});
