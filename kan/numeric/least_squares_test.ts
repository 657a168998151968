import assert from "node:assert";
import fc from "fast-check";
import { bsplineBasis } from "../bases/bspline.ts";
import { uniformGrid } from "../bases/grid.ts";
import { solveLeastSquares } from "./least_squares.ts";
import { createRandom } from "./random.ts";

Deno.test("the residual is orthogonal to the columns", () => {
  const random = createRandom(1);
  const draw = (length: number) => Float64Array.from({ length }, () => random.normal());
  const design = { rows: 20, columns: 5, data: draw(100) };
  const targets = { rows: 20, columns: 2, data: draw(40) };
  const { data: solution } = solveLeastSquares(design, targets);
  for (let target = 0; target < 2; target++) {
    const residual = Array.from({ length: 20 }, (_, row) => {
      let sum = targets.data[row * 2 + target]!;
      for (let j = 0; j < 5; j++) sum -= design.data[row * 5 + j]! * solution[j * 2 + target]!;
      return sum;
    });
    for (let j = 0; j < 5; j++) {
      const inner = residual.reduce((sum, r, row) => sum + r * design.data[row * 5 + j]!, 0);
      assert.ok(Math.abs(inner) < 1e-12);
    }
  }
});

Deno.test("ridge shrinks as the closed form of one column says", () => {
  const design = { rows: 2, columns: 1, data: Float64Array.of(1, 2) };
  const targets = { rows: 2, columns: 1, data: Float64Array.of(1, 2) };
  assert.ok(Math.abs(solveLeastSquares(design, targets, 5).data[0]! - 0.5) < 1e-15);
});

Deno.test("splines of sin(pi x): error falls from 2.66e-3 to 1.53e-9 with slope -4", () => {
  const points = Float64Array.from({ length: 2000 }, (_, i) => -1 + 2 * i / 1999);
  const wave = points.map((x) => Math.sin(Math.PI * x));
  const error = (intervals: number) => {
    const grid = uniformGrid({ intervals, order: 3 });
    const size = intervals + 3;
    const design = { rows: 2000, columns: size, data: bsplineBasis(grid, points) };
    const { data: fit } = solveLeastSquares(design, { rows: 2000, columns: 1, data: wave });
    const squares = wave.reduce((sum, y, p) => {
      let value = 0;
      for (let j = 0; j < size; j++) value += design.data[p * size + j]! * fit[j]!;
      return sum + (value - y) ** 2;
    }, 0);
    return Math.sqrt(squares / 2000);
  };
  const [coarse, middle, fine] = [error(5), error(80), error(160)];
  assert.ok(Math.abs(coarse / 2.66e-3 - 1) < 0.02, `${coarse}`);
  assert.ok(Math.abs(fine / 1.53e-9 - 1) < 0.02, `${fine}`);
  assert.ok(Math.abs(Math.log2(fine / middle) + 4) < 0.02);
});

Deno.test("no NaN for any shape, repeated or empty columns, tiny and huge scales", () => {
  const number = fc.oneof(
    fc.constant(0),
    fc.constant(1),
    fc.double({ min: -1e30, max: 1e30, noNaN: true }),
    fc.double({ min: -1e-30, max: 1e-30, noNaN: true }),
  );
  fc.assert(fc.property(
    fc.integer({ min: 1, max: 6 }),
    fc.integer({ min: 1, max: 6 }),
    fc.array(number, { minLength: 36, maxLength: 36 }),
    fc.constantFrom(0, 1e-9),
    (rows, columns, numbers, ridge) => {
      const design = { rows, columns, data: Float64Array.from(numbers).slice(0, rows * columns) };
      const targets = { rows, columns: 1, data: Float64Array.from(numbers.slice(-rows)) };
      const { data } = solveLeastSquares(design, targets, ridge);
      assert.ok(data.every(Number.isFinite), `${data}`);
    },
  ));
});
