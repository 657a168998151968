import assert from "node:assert";
import { roundToNearest } from "./round_to_nearest.ts";
import { meanSquaredError, randomMatrix } from "./testdata/random_matrix.ts";

Deno.test("roundToNearest() gives every group its own grid and counts every bit", () => {
  const data = Float32Array.of(0, 1, 2, 3, 0, 10, 20, 30, -40, 0, 40, 80);
  const weights = { name: "w", rows: 1, columns: 12, data };
  const options = { bits: 2, symmetric: false, searchClip: false, groupSize: 4 };
  const { reconstruction, bytes } = roundToNearest(weights, options);
  assert.deepEqual(reconstruction, data);
  assert.equal(bytes, 12 * 2 / 8 + Math.ceil(3 * (16 + 2) / 8));
  const symmetric = roundToNearest(weights, { ...options, symmetric: true });
  assert.equal(symmetric.bytes, 12 * 2 / 8 + 3 * 2);
});

Deno.test("the error of round to nearest is that of uniform rounding", () => {
  const weights = randomMatrix(64, 256, 1);
  const options = { bits: 8, symmetric: false, searchClip: false, groupSize: Infinity };
  const { reconstruction } = roundToNearest(weights, options);
  let expected = 0;
  for (let row = 0; row < 64; row++) {
    const values = weights.data.subarray(row * 256, (row + 1) * 256);
    const step = (Math.max(...values) - Math.min(...values)) / 255;
    expected += step * step / 12 / 64;
  }
  const error = meanSquaredError(weights.data, reconstruction);
  assert.ok(Math.abs(error / expected - 1) < 0.05, `${error} instead of ${expected}`);
});
