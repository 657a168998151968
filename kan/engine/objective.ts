import { requireModelAndInputs } from "../model/model_checks.ts";
import type { Samples } from "../numeric/least_squares.ts";
import { nodeCount } from "../model/layer_model.ts";
import { type KanModel, layerParameterCount, parameterCount } from "../model/model.ts";
import { type ColumnScale, toRaw } from "../model/scaling.ts";
import { traceModel } from "./evaluate.ts";
import { backwardLayer } from "./layer_pass.ts";
import { evaluateLoss, type Loss, requireLoss, requireTargets } from "./losses.ts";
import { penalizeAttributions } from "./backward_scores.ts";
import {
  type LayerPenalty,
  penalizeCoefficients,
  penalizeLayer,
  type Regularization,
  requireRegularization,
} from "./regularizer.ts";

/** Inputs and what the network should return for them. */
export interface DataSet {
  /** [samples, inputs]. */
  readonly inputs: Samples;
  /** [samples, outputs]; see {@link Loss} for what each loss expects. */
  readonly targets: Samples;
}

/** A value to be minimised, and its gradient with respect to the parameters. */
export interface Evaluation {
  /** Loss plus penalty. */
  readonly value: number;
  /** The loss alone. */
  readonly loss: number;
  /** In the order of the parameter vector. */
  readonly gradient: Float64Array;
}

/**
 * The loss of a model on data, plus pykan's penalty if asked for, and the exact gradient with
 * respect to all parameters, in float64 without tfjs.
 *
 * @throws RangeError if the data do not fit the model or a number is not finite or in its range.
 *
 * ```ts
 * import { createKanModel, createRandom, samplesFrom } from "@kanpress/kanpress/kan";
 * import { evaluateObjective } from "@kanpress/kanpress/kan/optimizers";
 * import assert from "node:assert";
 *
 * const model = createKanModel({ widths: [1, 1], random: createRandom(0) });
 * const data = { inputs: samplesFrom([[0], [1]]), targets: samplesFrom([[0], [1]]) };
 * const { value, gradient } = evaluateObjective(model, data, "mse");
 * assert.ok(value > 0 && gradient.length === 8);
 * ```
 */
export function evaluateObjective(
  model: KanModel,
  data: DataSet,
  loss: Loss,
  regularization?: Regularization,
): Evaluation {
  requireFitting(model, data, loss);
  if (regularization !== undefined) requireRegularization(regularization);
  return objectiveOf(model, data, loss, regularization);
}

/** {@link evaluateObjective} of a model that need not be finite, such as a step that overflows. */
export function objectiveOf(
  model: KanModel,
  data: DataSet,
  loss: Loss,
  regularization?: Regularization,
): Evaluation {
  const isRegularized = regularization !== undefined && regularization.lambda > 0;
  const traces = traceModel(model, data.inputs, { edges: isRegularized, slopes: true });
  const { value: lossValue, gradient: outputGradient } = evaluateLoss(
    loss,
    toRaw(traces.at(-1)!.nodes, model.scaling?.outputs),
    data.targets,
  );
  let value = lossValue;
  let upstream = scaleGradient(outputGradient, model.scaling?.outputs);
  const gradient = new Float64Array(parameterCount(model));
  const attributions = isRegularized && regularization.metric === "backward"
    ? penalizeAttributions(model, traces, regularization)
    : undefined;
  let end = gradient.length;
  for (let l = model.layers.length - 1; l >= 0; l--) {
    const layer = model.layers[l]!, trace = traces[l]!;
    const start = end - layerParameterCount(layer);
    let penalty: LayerPenalty | undefined;
    if (isRegularized) penalty = attributions?.[l] ?? penalizeLayer(layer, trace, regularization);
    const part = gradient.subarray(start, end);
    upstream = backwardLayer(layer, trace, upstream, penalty?.edgeGradients, part);
    if (penalty !== undefined) {
      value += penalty.value;
      for (let i = 0; i < upstream.length; i++) upstream[i]! += penalty.inputGradients[i]!;
    }
    end = start;
  }
  const ofCoefficients = isRegularized ? penalizeCoefficients(model, regularization) : undefined;
  if (ofCoefficients !== undefined) {
    value += ofCoefficients.value;
    ofCoefficients.gradient.forEach((slope, i) => gradient[i]! += slope);
  }
  return { value, loss: lossValue, gradient };
}

/** A gradient with respect to raw outputs as one with respect to what the last layer computes. */
function scaleGradient(
  gradient: Float64Array,
  columns: readonly ColumnScale[] | undefined,
): Float64Array {
  if (columns === undefined) return gradient;
  return gradient.map((value, at) => value * columns[at % columns.length]!.spread);
}

/**
 * Throws a RangeError unless the data have the model's inputs and outputs and as many targets as
 * inputs, at least one, and all numbers are finite. `what` names the data.
 */
export function requireFitting(model: KanModel, data: DataSet, loss: Loss, what = ""): void {
  requireLoss(loss);
  requireModelAndInputs(model, data.inputs, 1, `${what}inputs`);
  const outputs = nodeCount(model.layers.at(-1)!);
  requireTargets(loss, data.targets, data.inputs.rows, outputs, what);
}
