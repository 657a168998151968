/**
 * Kolmogorov-Arnold networks in TypeScript: bases, layers, networks, fitting in float64 and on tfjs,
 * grid refinement, pruning, symbolic forms and plots. `kan/README.md` leads from samples to a
 * formula.
 *
 * @module
 */
export { attributeKan, type Attribution } from "./fitting/attribution.ts";
export {
  type Basis,
  type BasisDescription,
  evaluateBasis,
  type Extrapolation,
} from "./bases/basis.ts";
export * from "./bases/bspline.ts";
export * from "./bases/describe.ts";
export { expandBasis } from "./bases/expansion.ts";
export * from "./bases/global_bases.ts";
export { applyLocalSplines } from "./bases/local_splines.ts";
export * from "./fitting/fit.ts";
export * from "./bases/grid.ts";
export { gridFromSamples, updateGrids } from "./fitting/grid_update.ts";
export * from "./layers/kan.ts";
export { KanLayer, type SplinePath } from "./layers/kan_layer.ts";
export {
  type BaseFunction,
  createKanLayerModel,
  type Initialization,
  type KanLayerModel,
  type KanLayerOptions,
  nodeCount,
} from "./model/layer_model.ts";
export { type Samples, solveLeastSquares } from "./numeric/least_squares.ts";
export * from "./numeric/mat_mul.ts";
export {
  createKanModel,
  type KanModel,
  type KanModelOptions,
  type LayerWidth,
  parameterCount,
  parametersOf,
  withParameters,
} from "./model/model.ts";
export { type AdamOptions, type AdamState, stepAdam } from "./optimizers/adam.ts";
export * from "./optimizers/lbfgs.ts";
export * from "./optimizers/levenberg_marquardt.ts";
export type { Objective, ValueAndGradient } from "./optimizers/optimizer.ts";
export {
  type EdgeAddress,
  type PrunedInputs,
  pruneInputs,
  pruneKan,
  type PruneOptions,
  removeEdge,
} from "./fitting/prune.ts";
export type { PlotlyFigure } from "./plots/drawing.ts";
export * from "./plots/edge.ts";
export { type Curve, edgeCurve } from "./plots/edge_curve.ts";
export { networkFigure, type NetworkPlotOptions, plotNetwork } from "./plots/network.ts";
export * from "./numeric/random.ts";
export * from "./fitting/refine.ts";
export * from "./model/serialize.ts";
export { suggestForCurve, type Suggestion, type SuggestOptions } from "./symbolic/fit_curve.ts";
export * from "./symbolic/formula.ts";
export {
  type SymbolicEdge,
  type SymbolicFunction,
  symbolicFunction,
  symbolicFunctions,
} from "./model/symbolic_functions.ts";
export * from "./symbolic/suggest.ts";
export * from "./numeric/tensor_types.ts";
export * from "./layers/tf_layer.ts";
export { evaluateKan, samplesFrom } from "./engine/evaluate.ts";
export { jacobianOf } from "./engine/jacobian.ts";
export { type DataSet, evaluateObjective, type Evaluation, type Loss } from "./engine/objective.ts";
export type { Regularization } from "./engine/regularizer.ts";
