import assert from "node:assert";
import { createRandom } from "../kan/numeric/random.ts";
import { dualScale } from "./dual_scale.ts";
import { roundToNearest } from "./round_to_nearest.ts";
import { meanSquaredError, randomMatrix } from "./testdata/random_matrix.ts";

Deno.test("scales of columns are taken out: each column has the same relative error", () => {
  const weights = randomMatrix(128, 64, 1);
  const random = createRandom(2);
  const scales = Array.from({ length: 64 }, () => 2 ** (2 * random.normal()));
  const scaled = { ...weights, data: weights.data.map((value, i) => value * scales[i % 64]!) };
  const relative = (reconstruction: Float32Array) =>
    meanSquaredError(reconstruction.map((value, i) => value / scales[i % 64]!), weights.data);
  const { reconstruction, bytes } = dualScale(scaled, { bits: 4, groupSize: 32 });
  const options = { bits: 4, symmetric: false, searchClip: false, groupSize: 32 };
  const unscaled = meanSquaredError(roundToNearest(weights, options).reconstruction, weights.data);
  assert.ok(relative(reconstruction) < 1.1 * unscaled);
  assert.ok(relative(roundToNearest(scaled, options).reconstruction) > 10 * unscaled);
  assert.equal(bytes, 128 * 64 / 2 + 128 * 2 * 20 / 8 + 64 * 2);
});

Deno.test("extreme outliers stay within the range of f16 scales", () => {
  const weights = randomMatrix(16, 16, 1);
  weights.data[3] = 1e6;
  const { reconstruction } = dualScale(weights, { bits: 3, groupSize: 16 });
  assert.ok(reconstruction.every(Number.isFinite));
});
