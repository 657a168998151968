import assert from "node:assert";
import fc from "fast-check";
import { createRandom } from "../../kan/random.ts";
import { addErrors, type FeedbackState, startFeedback } from "../quantize/error_feedback.ts";
import { createErrorFeedbackKernel } from "./error_feedback_kernel.ts";

const kernel = createErrorFeedbackKernel()!;

/** A matrix and metric of random numbers; the same seed gives the same. */
function randomState(rows: number, columns: number, seed: number): FeedbackState {
  const random = createRandom(seed);
  const values = (length: number) => Float32Array.from({ length }, () => random.normal());
  const metric = {
    rowWeights: new Float64Array(rows).fill(1),
    columnWeights: new Float64Array(columns).fill(1),
    feedback: values(rows * (rows - 1) / 2),
    rowSteps: Float64Array.from({ length: rows }, () => 1 + random.uniform()),
  };
  const state = startFeedback({ name: "w", rows, columns, data: values(rows * columns) }, metric);
  state.errors.set(values(rows * columns));
  return state;
}

Deno.test("the kernel adds what the reference adds, to the bit", () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(40), { minLength: 4, maxLength: 4 }),
      fc.integer({ min: 1, max: 40 }),
      fc.nat(1000),
      (cuts, columns, seed) => {
        const [a, b, c, d] = cuts.sort((x, y) => x - y) as [number, number, number, number];
        const expected = randomState(41, columns, seed), actual = randomState(41, columns, seed);
        addErrors(expected, [a, b], [c, d]);
        kernel(actual, [a, b], [c, d]);
        assert.deepEqual(actual.targets, expected.targets);
      },
    ),
    { numRuns: 40 },
  );
});

Deno.test("the kernel cuts large products into panels", () => {
  const expected = randomState(540, 520, 1), actual = randomState(540, 520, 1);
  addErrors(expected, [3, 270], [271, 540]);
  kernel(actual, [3, 270], [271, 540]);
  assert.deepEqual(actual, expected);
});
