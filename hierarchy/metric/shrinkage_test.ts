import assert from "node:assert";
import { createRandom } from "../../kan/numeric/random.ts";
import { triangleSize, triangleStart } from "../matrix/triangle.ts";
import { shrinkageShare, shrinkTriangle } from "./shrinkage.ts";

/** The second moment of Gaussian draws of x = g + strength · common, by its lower triangle. */
function moment(size: number, draws: number, strength: number, seed: number): Float64Array {
  const random = createRandom(seed);
  const triangle = new Float64Array(triangleSize(size));
  for (let draw = 0; draw < draws; draw++) {
    const common = strength * random.normal();
    const x = Float64Array.from({ length: size }, () => random.normal() + common);
    for (let row = 0, at = 0; row < size; row++) {
      for (let column = 0; column <= row; column++, at++) {
        triangle[at] = triangle[at]! + x[row]! * x[column]! / draws;
      }
    }
  }
  return triangle;
}

/** Mean squared error of correlations off the diagonal. */
function error(triangle: Float64Array, size: number, correlation: number): number {
  let sum = 0;
  for (let row = 1; row < size; row++) {
    for (let column = 0; column < row; column++) {
      const scale = Math.sqrt(
        triangle[triangleStart(row + 1) - 1]! * triangle[triangleStart(column + 1) - 1]!,
      );
      sum += (triangle[triangleStart(row) + column]! / scale - correlation) ** 2;
    }
  }
  return sum;
}

Deno.test("few draws are shrunk more, to what is nearer to the truth", () => {
  const size = 24, strength = 0.5, correlation = strength ** 2 / (1 + strength ** 2);
  const shares = [30, 300, 3000].map((draws) => {
    const triangle = moment(size, draws, strength, draws);
    const share = shrinkageShare(triangle, size, draws);
    const before = error(triangle, size, correlation);
    shrinkTriangle(triangle, size, share);
    if (draws <= 300) assert.ok(error(triangle, size, correlation) < before, `${draws} draws`);
    return share;
  });
  assert.ok(shares[0]! > 2 * shares[1]! && shares[1]! > 2 * shares[2]!, `${shares}`);
});

Deno.test("draws that have nothing in common are shrunk by half, at most", () => {
  assert.equal(shrinkageShare(moment(16, 64, 0, 1), 16, 64), 0.5);
});

Deno.test("the unit of an input does not matter, and inputs without any do no harm", () => {
  const size = 8, triangle = moment(size, 40, 1, 2);
  const scaled = triangle.slice();
  for (let row = 0; row < size; row++) {
    for (let column = 0; column <= row; column++) {
      scaled[triangleStart(row) + column]! *= 3 ** row * 3 ** column;
    }
  }
  const share = shrinkageShare(triangle, size, 40);
  assert.ok(Math.abs(shrinkageShare(scaled, size, 40) - share) < 1e-12);
  assert.equal(shrinkageShare(new Float64Array(3), 2, 40), 0);
});

Deno.test("only what is off the diagonal is taken back", () => {
  const triangle = Float64Array.of(1, 0.5, 1);
  shrinkTriangle(triangle, 2, 0.25);
  assert.deepEqual([...triangle], [1, 0.375, 1]);
});
