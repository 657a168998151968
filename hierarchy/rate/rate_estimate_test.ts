import assert from "node:assert";
import { createRandom } from "../../kan/numeric/random.ts";
import type { Matrix } from "../matrix/matrix.ts";
import { shiftSteps, uniformShifts } from "./equalize_rates.ts";
import { estimatedBits, estimateRate, logStepOf, matrixBits } from "./rate_estimate.ts";

const random = createRandom(3);

function normalMatrix(rows: number, columns: number, deviation: number): Matrix {
  const data = Float32Array.from({ length: rows * columns }, () => deviation * random.normal());
  return { name: "w", rows, columns, data };
}

function metricOf({ rows, columns }: Matrix, scale: number): NonNullable<Matrix["metric"]> {
  return {
    rowWeights: Float64Array.from({ length: rows }, (_, i) => scale * 2 ** (i % 3)),
    columnWeights: Float64Array.from({ length: columns }, (_, j) => 2 ** (j % 2)),
    feedback: new Float32Array(rows * (rows - 1) / 2),
  };
}

/** Entropy of a uniform scalar quantizer's index of a normal value, by summing its distribution. */
function normalEntropy(deviation: number): number {
  const width = 1e-3;
  const mass = new Map<number, number>();
  for (let z = -9; z < 9; z += width) {
    const k = Math.round(deviation * (z + width / 2));
    const density = Math.exp(-((z + width / 2) ** 2) / 2) / Math.sqrt(2 * Math.PI);
    mass.set(k, (mass.get(k) ?? 0) + density * width);
  }
  let bits = 0;
  for (const p of mass.values()) bits -= p * Math.log2(p);
  return bits;
}

Deno.test("the estimate is near the entropy of normal values, for every spacing", () => {
  const matrix = normalMatrix(300, 200, 7);
  for (const spacing of [1, 2]) {
    const estimate = estimateRate([matrix], spacing);
    for (const logStep of [-6, -3, -1, 0, 1]) {
      // Without a metric the step is in root mean squares.
      const expected = normalEntropy(2 ** -logStep / spacing);
      const bits = estimatedBits(estimate, logStep) / matrix.data.length;
      const near = expected > 1 ? 0.25 : 0.4;
      assert.ok(Math.abs(bits - expected) < near, `${spacing}, ${logStep}: ${bits} ${expected}`);
    }
  }
});

Deno.test("a metric moves the steps", () => {
  const matrix = normalMatrix(96, 64, 1);
  const rows = metricOf(matrix, 1).rowWeights, columns = metricOf(matrix, 1).columnWeights;
  const weighted = matrix.data.map((value, at) =>
    value * rows[Math.floor(at / 64)]! * columns[at % 64]!
  );
  const unit = (data: Float32Array): Matrix => ({
    ...matrix,
    data,
    metric: {
      ...metricOf(matrix, 1),
      rowWeights: rows.map(() => 1),
      columnWeights: columns.map(() => 1),
    },
  });
  const withMetric = estimateRate([{ ...matrix, metric: metricOf(matrix, 1) }], 2);
  const expected = estimateRate([unit(weighted)], 2);
  const bits = estimatedBits(withMetric, -2) / 6144;
  assert.ok(Math.abs(bits - estimatedBits(expected, -2) / 6144) < 0.01);
});

Deno.test("the range of steps holds every value, and bits give their step back", () => {
  const outlier = normalMatrix(64, 64, 0.02);
  outlier.data[5] = 200;
  const estimate = estimateRate([normalMatrix(80, 40, 1), outlier], 2);
  assert.ok(estimatedBits(estimate, estimate.coarsest) < 0.5 * 7296);
  for (const bits of [1, 3, 8]) {
    const logStep = logStepOf(estimate, bits * 7296);
    assert.ok(Math.abs(estimatedBits(estimate, logStep) / 7296 - bits) < 1e-6);
  }
  const rms = Math.hypot(...outlier.data) / 64;
  assert.ok(200 / rms / 2 / 2 ** estimate.finest < 2 ** 27);
  const zero = { ...outlier, data: new Float32Array(4096) };
  assert.equal(estimatedBits(estimateRate([zero], 2), 0), 0);
  assert.ok(Number.isFinite(estimateRate([zero], 2).coarsest));
});

Deno.test("uniform shifts give matrices of unequal weight the same rate, and keep the sum", () => {
  const matrices = [0.01, 1, 30].map((scale, i) => {
    const matrix = normalMatrix(50 + 10 * i, 40, 1);
    return { ...matrix, metric: metricOf(matrix, scale) };
  });
  const zero = { ...normalMatrix(4, 4, 0), metric: metricOf(normalMatrix(4, 4, 0), 1) };
  const estimate = estimateRate([...matrices, zero], 2);
  const shifts = uniformShifts(estimate, -2);
  assert.equal(shifts[3], 0);
  const moved = estimateRate(shiftSteps([...matrices, zero], shifts), 2);
  const rates = moved.matrices.map((matrix) => matrixBits(matrix, -2) / matrix.values);
  assert.ok(Math.max(...rates.slice(0, 3)) - Math.min(...rates.slice(0, 3)) < 0.06, `${rates}`);
  const before = estimate.matrices.map((matrix) => matrixBits(matrix, -2) / matrix.values);
  assert.ok(Math.max(...before) - Math.min(...before) > 4);
});
