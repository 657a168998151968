import assert from "node:assert";
import { isDeepStrictEqual } from "node:util";
import { BASELINES, usesCalibration } from "./baselines.ts";
import { meanSquaredError, randomHessian, randomMatrix } from "./testdata/random_matrix.ts";

Deno.test("every baseline has a Gaussian's error well below doing nothing, and repeats", () => {
  const weights = randomMatrix(16, 256, 1);
  const hessian = randomHessian(256, 50, 2);
  for (const [name, baseline] of BASELINES) {
    const result = baseline(weights, hessian);
    const error = meanSquaredError(result.reconstruction, weights.data);
    assert.ok(error < 0.5, `${name}: error ${error}`);
    const bits = 8 * result.bytes / weights.data.length;
    assert.ok(bits > 1.9 && bits < 14, `${name}: ${bits} bits`);
    const without = baseline(weights).reconstruction;
    const isCalibrated = !isDeepStrictEqual(without, result.reconstruction);
    // With 8 bits nothing is clipped, calibrated or not.
    if (!name.startsWith("rtn-clip-8")) assert.equal(isCalibrated, usesCalibration(name), name);
    if (name.endsWith("g32")) assert.deepEqual(baseline(weights, hessian), result);
  }
});

Deno.test("every baseline takes degenerate matrices", () => {
  const shapes = [[1, 1], [1, 7], [7, 1], [3, 33]] as const;
  for (const [name, baseline] of BASELINES) {
    for (const [rows, columns] of shapes) {
      const length = rows * columns;
      for (const fill of [0, -0.25, 3]) {
        const data = new Float32Array(length).fill(fill);
        const { reconstruction, bytes } = baseline({ name, rows, columns, data });
        assert.equal(reconstruction.length, length);
        assert.ok(bytes > 0 && reconstruction.every(Number.isFinite), name);
        if (fill === 0) assert.ok(reconstruction.every((value) => value === 0), name);
      }
    }
  }
});
