/**
 * What networks are trained with: Adam, L-BFGS, Levenberg-Marquardt and linear least squares.
 *
 * ```ts
 * import { Lbfgs } from "@kanpress/kanpress/kan/optimizers";
 * import assert from "node:assert";
 *
 * const bowl = (x: Float64Array) => ({ value: x[0]! ** 2, gradient: x.map((each) => 2 * each) });
 * const first = Float64Array.of(3);
 * const step = await new Lbfgs().step(bowl, first, bowl(first));
 * assert.ok(step!.evaluation.value < bowl(first).value);
 * ```
 *
 * @module
 */
export { type Derivatives, differentiateKan } from "../engine/derivatives.ts";
export { jacobianOf } from "../engine/jacobian.ts";
export { evaluateObjective, type Evaluation } from "../engine/objective.ts";
export { parametersOf, withParameters } from "../model/model.ts";
export { solveLeastSquares } from "../numeric/least_squares.ts";
export { type AdamOptions, type AdamState, stepAdam } from "./adam.ts";
export * from "./lbfgs.ts";
export * from "./levenberg_marquardt.ts";
export type { Objective, ValueAndGradient } from "./optimizer.ts";
