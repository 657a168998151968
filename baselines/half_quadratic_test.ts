import assert from "node:assert";
import { halfQuadratic } from "./half_quadratic.ts";
import { randomMatrix } from "./testdata/random_matrix.ts";

/** The least mean magnitude of the error over all zero points, at the scale of the range. */
function bestOverZeroPoints(values: Float32Array, top: number): { first: number; best: number } {
  const low = Math.min(...values);
  const scale = Math.f16round((Math.max(...values) - low) / top);
  const errorAt = (zero: number) =>
    values.reduce((sum, value) => {
      const integer = Math.min(Math.max(Math.round(value / scale + zero), 0), top);
      return sum + Math.abs(value - scale * (integer - zero));
    }, 0) / values.length;
  let best = Infinity;
  for (let shift = -1; shift <= 1; shift += 0.001) {
    best = Math.min(best, errorAt(shift - low / scale));
  }
  return { first: errorAt(Math.f16round(-low / scale)), best };
}

Deno.test("halfQuadratic() lies between the first zero point's error and the best one's", () => {
  const weights = randomMatrix(40, 32, 6);
  const { reconstruction, bytes } = halfQuadratic(weights, { bits: 3, groupSize: 32 });
  assert.equal(bytes, 40 * 32 * 3 / 8 + 40 * 4);
  let first = 0, best = 0, found = 0;
  for (let row = 0; row < 40; row++) {
    const values = weights.data.subarray(row * 32, (row + 1) * 32);
    const bounds = bestOverZeroPoints(values, 7);
    const error = values.reduce((sum, value, i) => {
      return sum + Math.abs(value - reconstruction[row * 32 + i]!);
    }, 0) / 32;
    assert.ok(error <= bounds.first + 1e-6 && error >= bounds.best - 2e-3);
    first += bounds.first;
    best += bounds.best;
    found += error;
  }
  assert.ok(first - found > 0.2 * (first - best), "the zero points were hardly moved");
});

Deno.test("a group of equal values is kept to f16", () => {
  const weights = { name: "w", rows: 1, columns: 3, data: new Float32Array(3).fill(-0.3) };
  const { reconstruction } = halfQuadratic(weights, { bits: 4, groupSize: 64 });
  assert.deepEqual(reconstruction, new Float32Array(3).fill(Math.f16round(-0.3)));
});
