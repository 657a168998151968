import assert from "node:assert";
import fc from "fast-check";
import { gridFromKnots, uniformGrid } from "./grid.ts";
import { bsplineBasis, createBsplines } from "./bspline.ts";
import { evaluateBasis } from "./evaluate_basis.ts";

const grid = uniformGrid({ intervals: 5, order: 3, range: [-1, 1] });

function assertClose(actual: ArrayLike<number>, expected: readonly number[], tolerance = 1e-14) {
  assert.equal(actual.length, expected.length);
  expected.forEach((value, i) => {
    assert.ok(Math.abs(actual[i]! - value) <= tolerance, `${i}: ${actual[i]} is not ${value}`);
  });
}

/** The textbook Cox-de Boor recursion, one spline at a time. */
function coxDeBoor(knots: readonly number[], i: number, degree: number, x: number): number {
  if (degree === 0) return x >= knots[i]! && x < knots[i + 1]! ? 1 : 0;
  const rise = knots[i + degree]! - knots[i]!, fall = knots[i + degree + 1]! - knots[i + 1]!;
  const left = rise > 0 ? (x - knots[i]!) / rise * coxDeBoor(knots, i, degree - 1, x) : 0;
  const right = fall > 0
    ? (knots[i + degree + 1]! - x) / fall * coxDeBoor(knots, i + 1, degree - 1, x)
    : 0;
  return left + right;
}

const uneven = fc.record({
  order: fc.integer({ min: 0, max: 5 }),
  widths: fc.array(fc.double({ min: 0.01, max: 3, noNaN: true }), { minLength: 1, maxLength: 6 }),
  at: fc.double({ min: 0, max: 0.999, noNaN: true }),
}).map(({ order, widths, at }) => {
  const all = Array.from(
    { length: widths.length + 2 * order },
    (_, i) => widths[i % widths.length]!,
  );
  const knots = [-1];
  for (const width of all) knots.push(knots.at(-1)! + width);
  const uneven = gridFromKnots(knots, order);
  return { grid: uneven, x: uneven.range[0] + at * (uneven.range[1] - uneven.range[0]) };
});

Deno.test("cubic splines: {1, 4, 1}/6 at a knot, {1, 23, 23, 1}/48 at a midpoint", () => {
  assertClose(bsplineBasis(grid, -0.2), [0, 0, 1 / 6, 4 / 6, 1 / 6, 0, 0, 0]);
  assertClose(bsplineBasis(grid, 0), [0, 0, 1 / 48, 23 / 48, 23 / 48, 1 / 48, 0, 0]);
  assertClose(bsplineBasis(grid, 1), [0, 0, 0, 0, 0, 1 / 6, 4 / 6, 1 / 6]);
  assertClose(
    bsplineBasis(grid, 0.3),
    [0, 0, 0, 0.0703125, 0.61197917, 0.31510417, 0.00260417, 0],
    5e-9,
  );
});

Deno.test("the splines sum to 1 in the range, to 47/48 at 1.2 and to 0 beyond the knots", () => {
  const sum = (x: number) => bsplineBasis(grid, x).reduce((total, value) => total + value, 0);
  for (const x of [-1, -0.77, 0, 0.6, 1]) assert.ok(Math.abs(sum(x) - 1) < 1e-14);
  assert.ok(Math.abs(sum(1.2) - 47 / 48) < 1e-14);
  assert.equal(sum(2.3), 0);
  assert.equal(sum(-5), 0);
});

Deno.test("any order on any knots agrees with the Cox-de Boor recursion", () => {
  fc.assert(fc.property(uneven, ({ grid, x }) => {
    const values = bsplineBasis(grid, x);
    values.forEach((value, i) => {
      assert.ok(Math.abs(value - coxDeBoor(grid.knots, i, grid.order, x)) < 1e-10);
    });
  }));
});

Deno.test("first derivatives follow the closed form and sum to 0", () => {
  fc.assert(fc.property(uneven, ({ grid, x }) => {
    const { knots, order: k } = grid;
    const slopes = bsplineBasis(grid, x, 1);
    const scale = Math.max(1, ...slopes.map(Math.abs));
    slopes.forEach((slope, i) => {
      const expected = k === 0
        ? 0
        : k * (coxDeBoor(knots, i, k - 1, x) / (knots[i + k]! - knots[i]!) -
          coxDeBoor(knots, i + 1, k - 1, x) / (knots[i + k + 1]! - knots[i + 1]!));
      assert.ok(Math.abs(slope - expected) < 1e-9 * scale);
    });
    assert.ok(Math.abs(slopes.reduce((sum, slope) => sum + slope, 0)) < 1e-10 * scale);
  }));
});

Deno.test("higher derivatives are the slopes of the lower ones, and vanish beyond the order", () => {
  const step = 1e-5;
  for (const x of [-0.9, -0.33, 0.05, 0.71]) {
    for (const derivative of [1, 2, 3]) {
      const above = bsplineBasis(grid, x + step, derivative - 1);
      const below = bsplineBasis(grid, x - step, derivative - 1);
      const expected = Array.from(above, (value, i) => (value - below[i]!) / (2 * step));
      assertClose(bsplineBasis(grid, x, derivative), expected, 1e-4);
    }
    assertClose(bsplineBasis(grid, x, 4), new Array<number>(8).fill(0));
  }
});

Deno.test("powers have the coefficients of their blossom over three knots", () => {
  const inner = (i: number) =>
    [grid.knots[i + 1]!, grid.knots[i + 2]!, grid.knots[i + 3]!] as const;
  const coefficients: ((i: number) => number)[] = [
    (i) => inner(i).reduce((sum, knot) => sum + knot) / 3,
    (i) => {
      const [p, q, r] = inner(i);
      return (p * q + q * r + p * r) / 3;
    },
    (i) => inner(i).reduce((product, knot) => product * knot),
  ];
  for (const x of [-1, -0.61, 0.2, 0.93, 1]) {
    const values = bsplineBasis(grid, x);
    coefficients.forEach((coefficient, power) => {
      const curve = values.reduce((sum, value, i) => sum + value * coefficient(i), 0);
      assert.ok(Math.abs(curve - x ** (power + 1)) < 1e-14);
    });
  }
});

Deno.test("the Gram matrix over h has the entries 151/315, 397/1680, 1/42, 1/5040", () => {
  const wide = uniformGrid({ intervals: 8, order: 3, range: [0, 8] });
  // Four-point Gauss-Legendre is exact for the degree 6 of a product.
  const nodes = [0.3399810435848563, 0.8611363115940526];
  const weights = [0.6521451548625461, 0.34785484513745385];
  const points = Array.from(
    { length: 8 },
    (_, cell) => [-1, 1].flatMap((sign) => nodes.map((node) => cell + (1 + sign * node) / 2)),
  ).flat();
  const values = bsplineBasis(wide, points);
  const gram = [0, 1, 2, 3].map((distance) =>
    points.reduce((sum, _, p) => {
      const weight = weights[p % 2]! / 2;
      return sum + weight * values[p * 11 + 4]! * values[p * 11 + 4 + distance]!;
    }, 0)
  );
  assertClose(gram, [151 / 315, 397 / 1680, 1 / 42, 1 / 5040]);
});

Deno.test("not a number in, not a number out", () => {
  assert.ok(bsplineBasis(grid, NaN).some(Number.isNaN));
});

Deno.test("a grid of 20,000 intervals takes neither long nor much", () => {
  const grid = uniformGrid({ intervals: 20_000, order: 3 });
  const basis = createBsplines(grid, "clamp");
  const values = new Float64Array(basis.support);
  const first = evaluateBasis(basis, 0.5, 1, values);
  assert.ok(Math.abs(values.reduce((sum, value) => sum + value)) < 1e-6);
  assert.ok(first > 14_990 && first < 15_010);
});
