import { requireFinite } from "../numeric/checks.ts";
import { leastSquares, type Samples } from "../numeric/least_squares.ts";
import { dot } from "./optimizer.ts";

/** Residuals as a function of the parameters; what is minimised is the sum of their squares. */
export interface ResidualProblem {
  /** The residuals. */
  residuals(parameters: Float64Array): Float64Array;
  /** Their derivatives, [residuals, parameters]. */
  jacobian(parameters: Float64Array): Samples;
}

const MAX_TRIALS = 20;

/**
 * The Levenberg-Marquardt method (Nocedal & Wright, Numerical Optimization, 2nd ed., section 10.3)
 * with QR of the damped Jacobian; its state is the damping. It needs memory for residuals times
 * parameters, and reaches the rounding floor where first-order methods crawl.
 *
 * ```ts
 * import { LevenbergMarquardt } from "@kanpress/kanpress/kan/optimizers";
 * import assert from "node:assert";
 *
 * const problem = {
 *   residuals: (x: Float64Array) => Float64Array.of(x[0]! ** 2 - 2),
 *   jacobian: (x: Float64Array) => ({ rows: 1, columns: 1, data: Float64Array.of(2 * x[0]!) }),
 * };
 * const method = new LevenbergMarquardt();
 * let x: Float64Array = Float64Array.of(1);
 * for (let i = 0; i < 20; i++) x = method.step(problem, x) ?? x;
 * assert.ok(Math.abs(x[0]! - Math.SQRT2) < 1e-12);
 * ```
 */
export class LevenbergMarquardt {
  #damping: number | undefined;

  /**
   * Better parameters, or undefined if no damping gives any.
   *
   * @throws RangeError if a parameter is not finite.
   */
  step(problem: ResidualProblem, parameters: Float64Array): Float64Array | undefined {
    requireFinite("parameters", parameters);
    const residuals = problem.residuals(parameters);
    const squares = dot(residuals, residuals);
    const jacobian = problem.jacobian(parameters);
    const targets = { rows: residuals.length, columns: 1, data: residuals };
    // A thousandth of the mean square of a column begins between gradient and Gauss-Newton steps.
    this.#damping ??= 1e-3 * dot(jacobian.data, jacobian.data) / Math.max(1, parameters.length);
    if (!Number.isFinite(this.#damping)) return undefined;
    for (let trial = 0; trial < MAX_TRIALS; trial++) {
      const { data: correction } = leastSquares(jacobian, targets, this.#damping);
      const moved = parameters.map((parameter, i) => parameter - correction[i]!);
      const next = problem.residuals(moved);
      const nextSquares = dot(next, next);
      if (nextSquares < squares) {
        this.#damping /= 10;
        return moved;
      }
      this.#damping *= 4;
    }
    return undefined;
  }
}
