import assert from "node:assert";
import { fitAffineGrid, roundToGrid } from "./affine_grid.ts";
import { gptq } from "./gptq.ts";
import { roundToNearest } from "./round_to_nearest.ts";
import { outputError, randomHessian, randomMatrix } from "./testdata/random_matrix.ts";

const GRID = { bits: 3, symmetric: false, searchClip: false };

/** The inverse of a positive definite matrix by Gauss-Jordan elimination. */
function inverse(matrix: Float64Array, size: number): Float64Array {
  const left = matrix.slice(), right = new Float64Array(size * size);
  for (let i = 0; i < size; i++) right[i * size + i] = 1;
  for (let pivot = 0; pivot < size; pivot++) {
    const scale = 1 / left[pivot * size + pivot]!;
    for (let j = 0; j < size; j++) {
      left[pivot * size + j]! *= scale;
      right[pivot * size + j]! *= scale;
    }
    for (let i = 0; i < size; i++) {
      const factor = left[i * size + pivot]!;
      if (i === pivot || factor === 0) continue;
      for (let j = 0; j < size; j++) {
        left[i * size + j]! -= factor * left[pivot * size + j]!;
        right[i * size + j]! -= factor * right[pivot * size + j]!;
      }
    }
  }
  return right;
}

/**
 * Optimal brain quantization in a fixed order, as first published: after each column, the others
 * take up its error by the inverse Hessian, from which the column is then eliminated.
 */
function slowQuantization(row: Float32Array, hessian: Float64Array, damping: number, grid: {
  scale: number;
  zero: number;
  top: number;
}) {
  const size = row.length;
  const w = Float64Array.from(row);
  const damped = hessian.slice();
  const mean = w.reduce((sum, _, i) => sum + hessian[i * size + i]!, 0) / size;
  for (let i = 0; i < size; i++) damped[i * size + i]! += damping * mean;
  const inverted = inverse(damped, size);
  const quantized = new Float64Array(size);
  for (let q = 0; q < size; q++) {
    quantized[q] = roundToGrid(grid, w[q]!);
    const factor = (w[q]! - quantized[q]!) / inverted[q * size + q]!;
    for (let j = q + 1; j < size; j++) w[j]! -= factor * inverted[q * size + j]!;
    const pivotRow = inverted.slice(q * size, (q + 1) * size), pivot = pivotRow[q]!;
    for (let i = q + 1; i < size; i++) {
      const share = inverted[i * size + q]! / pivot;
      for (let j = q; j < size; j++) inverted[i * size + j]! -= share * pivotRow[j]!;
    }
  }
  return quantized;
}

Deno.test("gptq() does what optimal brain quantization does column by column", () => {
  const weights = randomMatrix(6, 20, 3);
  const hessian = randomHessian(20, 40, 4);
  const options = { ...GRID, groupSize: Infinity, activationOrder: false };
  const { reconstruction, bytes } = gptq(weights, options, hessian);
  for (let row = 0; row < 6; row++) {
    const values = weights.data.subarray(row * 20, (row + 1) * 20);
    const grid = fitAffineGrid(Float64Array.from(values), new Float64Array(20).fill(1), GRID);
    slowQuantization(values, hessian, 0.01, grid).forEach((value, j) => {
      assert.ok(Math.abs(value - reconstruction[row * 20 + j]!) < 1e-5);
    });
  }
  assert.equal(bytes, 6 * 20 * 3 / 8 + Math.ceil(6 * 19 / 8));
});

Deno.test("gptq() without a Hessian rounds to nearest", () => {
  const weights = randomMatrix(5, 48, 1);
  for (const activationOrder of [false, true]) {
    const options = { ...GRID, groupSize: 16 };
    assert.deepEqual(
      gptq(weights, { ...options, activationOrder }),
      roundToNearest(weights, options),
    );
  }
});

Deno.test("feedback lowers the output error, also for a Hessian of low rank", () => {
  const weights = randomMatrix(32, 64, 2);
  for (const count of [10, 200]) {
    const hessian = randomHessian(64, count, 5);
    const options = { ...GRID, groupSize: 32 };
    const plain = outputError(weights, roundToNearest(weights, options).reconstruction, hessian);
    for (const activationOrder of [false, true]) {
      const { reconstruction } = gptq(weights, { ...options, activationOrder }, hessian);
      assert.ok(outputError(weights, reconstruction, hessian) < 0.6 * plain);
    }
  }
});
