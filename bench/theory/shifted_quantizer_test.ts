import assert from "node:assert";
import { randomHessian, randomMatrix } from "../../hierarchy/baselines/testdata/random_matrix.ts";
import { errorMetric } from "../../hierarchy/metric/tensor_metric.ts";
import { quantizeMatrix } from "../../hierarchy/quantize/quantize_matrix.ts";
import { createTrellis, reconstruct } from "../../hierarchy/quantize/trellis.ts";
import { NO_SHIFTS, quantizeShifted, shiftLevel, type Shifts } from "./shifted_quantizer.ts";

const trellis = createTrellis(8);
const plain = randomMatrix(24, 16, 3);
const hessian = randomHessian(24, 60, 4);
const metric = errorMetric("w", { inputAxis: 0, hessian }, 24, 16);
const matrix = { ...plain, metric: { ...metric, rowSteps: new Float64Array(24).fill(1) } };

Deno.test("without moves a matrix is quantized as the encoder does", () => {
  const { indices, values } = quantizeShifted(trellis, matrix, NO_SHIFTS);
  assert.deepEqual(indices, quantizeMatrix(trellis, matrix));
  let state = 0;
  indices.forEach((k, at) => {
    assert.equal(values[at], reconstruct(trellis, state & 1, k));
    state = trellis.transitions[2 * state + (k & 1)]!;
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
  const narrow = randomMatrix(64, 512, 5);
  const small = { ...narrow, data: narrow.data.map((value) => 0.7 * value) };
  const before = quantizeShifted(trellis, small, NO_SHIFTS).centroids;
  const centroids = Array.from(before.sums, (sum, i) => sum / before.counts[i]!);
  assert.ok(centroids[0]! > 0.05 && centroids[1]! > 0.05);
  const inside = quantizeShifted(trellis, small, centroids as unknown as Shifts).centroids;
  assert.ok(inside.squares < 0.97 * before.squares);
});
