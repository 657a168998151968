import assert from "node:assert";
import { forEachDiagonal } from "../../../hierarchy/scan/pieces.ts";
import { randomHessian, randomMatrix } from "../../../baselines/testdata/random_matrix.ts";
import { errorMetric, factorMoment } from "../../../hierarchy/metric/tensor_metric.ts";
import { quantizeMatrix } from "../../../hierarchy/quantize/quantize_matrix.ts";
import { createTrellis, reconstruct } from "../../../hierarchy/scan/trellis.ts";
import { NO_SHIFTS, quantizeShifted, shiftLevel, type Shifts } from "./shifted_quantizer.ts";

const trellis = createTrellis(8);

function calibrated(rows: number, columns: number, scale: number) {
  const plain = randomMatrix(rows, columns, 3);
  const factor = factorMoment("w", randomHessian(rows, 2 * rows, 4), { damping: 0.01 });
  const metric = errorMetric("w", { inputAxis: 0, factor }, rows, columns);
  return { ...plain, data: plain.data.map((value) => scale * value), metric };
}

Deno.test("without moves a matrix is quantized as the encoder does", () => {
  const matrix = calibrated(24, 16, 1);
  const { indices, values } = quantizeShifted(trellis, matrix, NO_SHIFTS);
  assert.deepEqual(indices, quantizeMatrix(trellis, matrix));
  forEachDiagonal(matrix, ({ row, column, length, position }, start) => {
    let state = start;
    for (let t = 0; t < length; t++) {
      const k = indices[position + t]!;
      const level = reconstruct(trellis, state & 1, k);
      assert.equal(values[(row + t) * matrix.columns + column - t], level);
      state = trellis.transitions[2 * state + (k & 1)]!;
    }
    return state;
  });
});

Deno.test("moves are towards zero and sought in the path, so that the targets' error falls", () => {
  const shifts: Shifts = [0.2, 0.1, 0.05];
  assert.deepEqual([0, 1, -1, 2, -7].map((level) => shiftLevel(shifts, level)), [
    0,
    0.8,
    -0.8,
    1.9,
    -6.95,
  ]);
  // Values so small that all levels but 0 have their centroids well below.
  const small = calibrated(64, 512, 0.5);
  const before = quantizeShifted(trellis, small, NO_SHIFTS).centroids;
  const centroids = Array.from(before.sums, (sum, i) => sum / before.counts[i]!);
  assert.ok(centroids[0]! > 0.05 && centroids[1]! > 0.05);
  const inside = quantizeShifted(trellis, small, centroids as unknown as Shifts).centroids;
  assert.ok(inside.squares < 0.97 * before.squares);
});
