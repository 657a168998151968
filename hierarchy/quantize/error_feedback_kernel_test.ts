import assert from "node:assert";
import fc from "fast-check";
import { createRandom } from "../../kan/numeric/random.ts";
import type { Matrix } from "../matrix/matrix.ts";
import { diagonalCount, diagonalOf } from "../scan/diagonals.ts";
import { passOn, readTargets, startFeedback } from "./error_feedback.ts";
import { type FeedbackOperations, feedbackOperations } from "./feedback_operations.ts";
import { createErrorFeedbackKernel } from "./error_feedback_kernel.ts";

const kernel = createErrorFeedbackKernel()!;

/** A matrix with a metric of small random numbers; the same seed gives the same. */
function randomMatrix(rows: number, columns: number, blocks: number[], seed: number): Matrix {
  const random = createRandom(seed);
  const values = (length: number) => Float32Array.from({ length }, () => random.normal() / 8);
  const steps = (length: number) => Float64Array.from({ length }, () => 1 + random.uniform());
  let start = 0;
  const columnBlocks = blocks.map((size) => {
    start += size;
    return { start: start - size, size, feedback: values(size * (size - 1) / 2) };
  });
  const metric = {
    rowWeights: new Float64Array(rows).fill(1),
    columnWeights: new Float64Array(columns).fill(1),
    feedback: values(rows * (rows - 1) / 2),
    rowSteps: steps(rows),
    columnSteps: steps(columns),
    ...(blocks.length > 0 && { columnBlocks }),
  };
  return { name: "w", rows, columns, data: values(rows * columns).map((v) => 16 * v), metric };
}

/** What every value is quantized at, in order, when all are rounded to integers. */
function allTargets(matrix: Matrix, operations: FeedbackOperations): Float32Array {
  const { rows, columns, data, metric } = matrix;
  const feedback = startFeedback(matrix, metric!, operations);
  const all = new Float32Array(data.length);
  for (let number = 0; number < diagonalCount(matrix); number++) {
    const diagonal = diagonalOf({ rows, columns }, number);
    const targets = all.subarray(diagonal.position, diagonal.position + diagonal.length);
    readTargets(feedback, diagonal, targets);
    passOn(feedback, diagonal, targets.map(Math.round));
  }
  return all;
}

Deno.test("the kernel passes on what the reference passes on, to the bit", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 140 }),
      fc.integer({ min: 1, max: 140 }),
      fc.boolean(),
      fc.nat(1000),
      (rows, columns, joined, seed) => {
        const blocks = joined || columns <= 64 ? [columns] : [64, columns - 64];
        const matrix = randomMatrix(rows, columns, seed % 3 === 0 ? [] : blocks, seed);
        assert.deepEqual(allTargets(matrix, kernel), allTargets(matrix, feedbackOperations));
      },
    ),
    { numRuns: 30 },
  );
});

Deno.test("products deeper than the nearest cache are summed in the same order", () => {
  const matrix = randomMatrix(400, 36, [36], 1);
  assert.deepEqual(allTargets(matrix, kernel), allTargets(matrix, feedbackOperations));
});
