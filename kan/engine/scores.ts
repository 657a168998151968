import { requireSamples } from "../numeric/checks.ts";
import type { Samples } from "../numeric/least_squares.ts";

/**
 * The root of the mean squared difference of outputs and targets, in their units.
 *
 * @throws RangeError if their shapes differ or a number is not finite.
 *
 * ```ts
 * import { rmse, samplesFrom } from "@kanpress/kanpress/kan";
 * import assert from "node:assert";
 *
 * assert.equal(rmse(samplesFrom([[1], [2]]), samplesFrom([[4], [5]])), 3);
 * ```
 */
export function rmse(outputs: Samples, targets: Samples): number {
  requireSameShape(outputs, targets);
  const squares = outputs.data.reduce((sum, value, i) => sum + (value - targets.data[i]!) ** 2, 0);
  return Math.sqrt(squares / outputs.data.length);
}

/**
 * The share of samples of which the outputs name the right class: with one column, whether an output
 * above 0 (a logit) goes with a target above 1/2; with several, whether the largest of both is in the
 * same column.
 *
 * @throws RangeError if their shapes differ or a number is not finite.
 *
 * ```ts
 * import { accuracy, samplesFrom } from "@kanpress/kanpress/kan";
 * import assert from "node:assert";
 *
 * assert.equal(accuracy(samplesFrom([[-2], [3]]), samplesFrom([[0], [1]])), 1);
 * assert.equal(accuracy(samplesFrom([[2, 3], [1, 0]]), samplesFrom([[1, 0], [1, 0]])), 0.5);
 * ```
 */
export function accuracy(outputs: Samples, targets: Samples): number {
  requireSameShape(outputs, targets);
  const { rows, columns } = outputs;
  let right = 0;
  for (let row = 0; row < rows; row++) {
    const [answer, truth] = [outputs, targets].map(({ data }) =>
      data.subarray(row * columns, (row + 1) * columns)
    );
    const isRight = columns === 1
      ? answer![0]! > 0 === truth![0]! > 0.5
      : largestOf(answer!) === largestOf(truth!);
    if (isRight) right++;
  }
  return right / rows;
}

function largestOf(values: Float64Array): number {
  return values.reduce((best, value, at) => value > values[best]! ? at : best, 0);
}

function requireSameShape(outputs: Samples, targets: Samples): void {
  requireSamples("outputs", outputs, 1);
  requireSamples("targets", targets, 1);
  if (outputs.rows !== targets.rows || outputs.columns !== targets.columns) {
    throw new RangeError(
      `the outputs are ${outputs.rows} by ${outputs.columns}, ` +
        `the targets ${targets.rows} by ${targets.columns}`,
    );
  }
}
