/**
 * Kolmogorov-Arnold networks in float64: models, fitting and grid refinement. Their bases, pruning,
 * other changes of shape, symbolic forms, layers for tfjs and optimizers have entry points of their
 * own, `./kan/bases`, `./kan/pruning`, `./kan/growing`, `./kan/symbolic`, `./kan/layers` and
 * `./kan/optimizers`; plots stand under `./plots`.
 * `kan/README.md` leads from samples to a formula.
 *
 * ```ts
 * import { createKanModel, createRandom, evaluateKan, fitKan, samplesFrom } from "@kanpress/kanpress/kan";
 * import assert from "node:assert";
 *
 * const points = Array.from({ length: 50 }, (_, i) => [i / 25 - 1]);
 * const inputs = samplesFrom(points);
 * const targets = samplesFrom(points.map(([x]) => [Math.sin(3 * x!)]));
 * const model = createKanModel({ widths: [1, 1], random: createRandom(0) });
 * const fitted = await fitKan(model, { inputs, targets }, {
 *   steps: 10,
 *   optimizer: "levenberg-marquardt",
 * });
 * assert.ok(Math.abs(evaluateKan(fitted.model, inputs).data[40]! - Math.sin(1.8)) < 0.05);
 * ```
 *
 * @module
 */
export type { BaseFunction } from "./bases/base_function.ts";
export type { Basis, BasisDescription, Extrapolation } from "./bases/basis.ts";
export type { Grid, UniformGridOptions } from "./bases/grid.ts";
export type { Loss } from "./engine/losses.ts";
export type { DataSet } from "./engine/objective.ts";
export { evaluateKan, samplesFrom } from "./engine/evaluate.ts";
export { accuracy, rmse } from "./engine/scores.ts";
export type { Regularization } from "./engine/regularizer.ts";
export type { Equation } from "./engine/equations.ts";
export { fitKan, type FitOptions, type FitProgress, type FitResult } from "./fitting/fit.ts";
export type { GridUpdateOptions } from "./fitting/grid_schedule.ts";
export { gridFromSamples, updateGrids } from "./fitting/grid_update.ts";
export { refineAdamState, refineKan } from "./fitting/refine.ts";
export type { Initialization, KanLayerModel } from "./model/layer_model.ts";
export {
  createKanModel,
  type KanModel,
  type KanModelOptions,
  type LayerWidth,
  parameterCount,
} from "./model/model.ts";
export type { Scaling } from "./model/scaling.ts";
export { decodeKan, encodeKan } from "./model/serialize.ts";
export type { SymbolicEdge } from "./model/symbolic_functions.ts";
export type { Samples } from "./numeric/least_squares.ts";
export { createRandom, type Random } from "./numeric/random.ts";
export type { AdamState } from "./optimizers/adam.ts";
