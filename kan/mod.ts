/**
 * Kolmogorov-Arnold networks in TypeScript: bases, layers, networks, fitting in float64 and on tfjs,
 * grid refinement, pruning, symbolic forms and plots. `kan/README.md` leads from samples to a
 * formula.
 *
 * @module
 */
export { attributeKan, type Attribution } from "./attribution.ts";
export * from "./bases/basis.ts";
export * from "./bases/bspline.ts";
export * from "./bases/describe.ts";
export { expandBasis } from "./bases/expansion.ts";
export * from "./bases/global_bases.ts";
export { applyLocalSplines } from "./bases/local_splines.ts";
export * from "./fit.ts";
export * from "./grid.ts";
export { gridFromSamples, updateGrids } from "./grid_update.ts";
export * from "./kan.ts";
export { KanLayer, type SplinePath } from "./kan_layer.ts";
export {
  type BaseFunction,
  createKanLayerModel,
  type Initialization,
  type KanLayerModel,
  type KanLayerOptions,
  nodeCount,
} from "./layer_model.ts";
export * from "./least_squares.ts";
export * from "./mat_mul.ts";
export {
  createKanModel,
  type KanModel,
  type KanModelOptions,
  type LayerWidth,
  parameterCount,
  parametersOf,
  withParameters,
} from "./model.ts";
export * from "./optimizers/adam.ts";
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
} from "./prune.ts";
export type { PlotlyFigure } from "./plots/drawing.ts";
export * from "./plots/edge.ts";
export { type Curve, edgeCurve } from "./plots/edge_curve.ts";
export { networkFigure, type NetworkPlotOptions, plotNetwork } from "./plots/network.ts";
export * from "./random.ts";
export * from "./refine.ts";
export * from "./serialize.ts";
export { suggestForCurve, type Suggestion, type SuggestOptions } from "./symbolic/fit_curve.ts";
export * from "./symbolic/formula.ts";
export {
  type SymbolicEdge,
  type SymbolicFunction,
  symbolicFunction,
  symbolicFunctions,
} from "./symbolic/functions.ts";
export * from "./symbolic/suggest.ts";
export * from "./tensor_types.ts";
export * from "./tf_layer.ts";
export { evaluateKan, samplesFrom } from "./engine/evaluate.ts";
export { jacobianOf } from "./engine/jacobian.ts";
export { type DataSet, evaluateObjective, type Evaluation, type Loss } from "./engine/objective.ts";
export type { Regularization } from "./engine/regularizer.ts";
