import assert from "node:assert";
import { createRandom } from "../../kan/random.ts";
import type { ErrorMetric, Matrix } from "../levels/level.ts";
import { packUpper } from "../metric/packed_upper.ts";
import { factorTriangle, lowerTriangle } from "../metric/upper_factor.ts";
import { quantizeMatrix } from "./quantize_matrix.ts";
import { createTrellis, reconstruct, type Trellis } from "./trellis.ts";

/** Inputs with strong correlations, and weights to be multiplied by them. */
function correlatedProblem(rows: number, columns: number) {
  const random = createRandom(8);
  const mixing = Array.from({ length: rows * 8 }, () => random.normal());
  const hessian = new Float64Array(rows * rows);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < rows; j++) {
      let sum = i === j ? 0.1 : 0;
      for (let k = 0; k < 8; k++) sum += mixing[i * 8 + k]! * mixing[j * 8 + k]!;
      hessian[i * rows + j] = sum;
    }
  }
  const data = Float32Array.from({ length: rows * columns }, () => random.normal() * 3);
  const factor = lowerTriangle(hessian, rows);
  factorTriangle(factor, rows, 0);
  const metric: ErrorMetric = {
    ...packUpper(factor, rows),
    columnWeights: new Float64Array(columns).fill(1),
  };
  return { hessian, matrix: { name: "w", rows, columns, data }, metric };
}

/** Σ over columns of eᵀ H e, with e the errors of the decoded indices. */
function weightedError(
  trellis: Trellis,
  { data, rows, columns }: Matrix,
  indices: Int32Array,
  hessian: Float64Array,
): number {
  const errors = new Float64Array(data.length);
  let state = 0;
  indices.forEach((k, at) => {
    errors[at] = data[at]! - reconstruct(trellis, state & 1, k);
    state = trellis.transitions[2 * state + (k & 1)]!;
  });
  let sum = 0;
  for (let a = 0; a < rows; a++) {
    for (let b = 0; b < rows; b++) {
      for (let j = 0; j < columns; j++) {
        sum += errors[a * columns + j]! * hessian[a * rows + b]! * errors[b * columns + j]!;
      }
    }
  }
  return sum;
}

Deno.test("error feedback lowers the weighted error, for scalar and trellis quantizers", () => {
  const { hessian, matrix, metric } = correlatedProblem(48, 20);
  for (const states of [1, 8]) {
    const trellis = createTrellis(states);
    const plain = quantizeMatrix(trellis, matrix);
    const fed = quantizeMatrix(trellis, { ...matrix, metric });
    const ratio = weightedError(trellis, matrix, fed, hessian) /
      weightedError(trellis, matrix, plain, hessian);
    assert.ok(ratio < 0.25, `${states} states: ${ratio}`);
  }
});

Deno.test("error feedback is GPTQ's: equal to quantizing against the conditional mean", () => {
  // An independent formulation: row i is quantized at its least-squares value given the errors so
  // far, found by minimising eᵀ H e over the rows still free (then as good as unquantized).
  const { hessian, matrix, metric } = correlatedProblem(6, 5);
  const { rows, columns, data } = matrix;
  const indices = quantizeMatrix(createTrellis(1), { ...matrix, metric });
  for (let j = 0; j < columns; j++) {
    const errors: number[] = [];
    for (let i = 0; i < rows; i++) {
      const shift = bestShift(hessian, rows, errors, i);
      const k = Math.round(data[i * columns + j]! - shift);
      assert.equal(indices[i * columns + j], k);
      errors.push(data[i * columns + j]! - k);
    }
  }
});

/** The error of row i that minimises eᵀ H e, with rows before it fixed and rows after it free. */
function bestShift(hessian: Float64Array, size: number, fixed: number[], row: number): number {
  // Gauss-Seidel on the free rows of H e = 0 in their own equations.
  const errors = new Float64Array(size);
  fixed.forEach((error, i) => errors[i] = error);
  for (let sweep = 0; sweep < 20_000; sweep++) {
    for (let i = row; i < size; i++) {
      let sum = 0;
      for (let k = 0; k < size; k++) if (k !== i) sum += hessian[i * size + k]! * errors[k]!;
      errors[i] = -sum / hessian[i * size + i]!;
    }
  }
  return errors[row]!;
}

Deno.test("a diagonal metric changes nothing", () => {
  const { matrix } = correlatedProblem(10, 30);
  const metric = {
    rowWeights: Float64Array.from({ length: 10 }, (_, i) => 1 + i),
    feedback: new Float32Array(45),
    columnWeights: new Float64Array(30).fill(1),
  };
  const trellis = createTrellis(1);
  assert.deepEqual(quantizeMatrix(trellis, { ...matrix, metric }), quantizeMatrix(trellis, matrix));
});
