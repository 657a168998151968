import { requireOneOf, requireSamples } from "../numeric/checks.ts";
import { requireModelAndInputs } from "../model/model_checks.ts";
import type { Samples } from "../numeric/least_squares.ts";
import { nodeCount } from "../model/layer_model.ts";
import { type KanModel, layerParameterCount, parameterCount } from "../model/model.ts";
import { traceModel } from "./evaluate.ts";
import { backwardLayer } from "./layer_pass.ts";
import {
  type LayerPenalty,
  penalizeLayer,
  type Regularization,
  requireRegularization,
} from "./regularizer.ts";

/** Inputs and what the network should return for them. */
export interface DataSet {
  /** [samples, inputs]. */
  readonly inputs: Samples;
  /** [samples, outputs]; for `"crossEntropy"`, shares of the classes that sum to 1 in each row. */
  readonly targets: Samples;
}

/**
 * - `"mse"`: the mean of squared errors over samples and outputs.
 * - `"crossEntropy"`: the mean over samples of -sum target log softmax(output), in nats.
 */
export type Loss = "mse" | "crossEntropy";

/** A value to be minimised, and its gradient with respect to the parameters. */
export interface Evaluation {
  /** Loss plus penalty. */
  readonly value: number;
  /** The loss alone. */
  readonly loss: number;
  /** In the order of the parameter vector. */
  readonly gradient: Float64Array;
}

/** The loss and its gradient with respect to the outputs. */
export function evaluateLoss(
  loss: Loss,
  outputs: Float64Array,
  targets: Samples,
): { value: number; gradient: Float64Array } {
  const { rows, columns } = targets;
  const gradient = new Float64Array(outputs.length);
  let value = 0;
  if (loss === "mse") {
    for (let at = 0; at < outputs.length; at++) {
      const error = outputs[at]! - targets.data[at]!;
      value += error * error / outputs.length;
      gradient[at] = 2 * error / outputs.length;
    }
    return { value, gradient };
  }
  for (let row = 0; row < rows; row++) {
    const start = row * columns;
    const logits = outputs.subarray(start, start + columns);
    const highest = logits.reduce((most, logit) => Math.max(most, logit), -Infinity);
    const total = logits.reduce((sum, logit) => sum + Math.exp(logit - highest), 0);
    for (let c = 0; c < columns; c++) {
      const target = targets.data[start + c]!;
      const logShare = logits[c]! - highest - Math.log(total);
      value -= target * logShare / rows;
      gradient[start + c] = (Math.exp(logShare) - target) / rows;
    }
  }
  return { value, gradient };
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
    traces.at(-1)!.nodes,
    data.targets,
  );
  let value = lossValue, upstream = outputGradient;
  const gradient = new Float64Array(parameterCount(model));
  let end = gradient.length;
  for (let l = model.layers.length - 1; l >= 0; l--) {
    const layer = model.layers[l]!, trace = traces[l]!;
    const start = end - layerParameterCount(layer);
    let penalty: LayerPenalty | undefined;
    if (isRegularized) penalty = penalizeLayer(layer, trace, regularization);
    const part = gradient.subarray(start, end);
    upstream = backwardLayer(layer, trace, upstream, penalty?.edgeGradients, part);
    if (penalty !== undefined) {
      value += penalty.value;
      for (let i = 0; i < upstream.length; i++) upstream[i]! += penalty.inputGradients[i]!;
    }
    end = start;
  }
  return { value, loss: lossValue, gradient };
}

/** Every loss. */
const LOSSES: readonly Loss[] = ["mse", "crossEntropy"];
/** How far from 1 the shares of the classes may sum up, as float32 shares of many classes do. */
const SHARE_TOLERANCE = 1e-3;

/**
 * Throws a RangeError unless the data have the model's inputs and outputs and as many targets as
 * inputs, at least one, and all numbers are finite. `what` names the data.
 */
export function requireFitting(model: KanModel, data: DataSet, loss: Loss, what = ""): void {
  requireOneOf("loss", loss, LOSSES);
  requireModelAndInputs(model, data.inputs, 1, `${what}inputs`);
  requireSamples(`${what}targets`, data.targets);
  const outputs = nodeCount(model.layers.at(-1)!);
  if (data.targets.columns !== outputs || data.targets.rows !== data.inputs.rows) {
    throw new RangeError(
      `the model has ${outputs} outputs for ${data.inputs.rows} samples, ` +
        `the ${what}targets are ${data.targets.rows} by ${data.targets.columns}`,
    );
  }
  if (loss === "crossEntropy") requireShares(data.targets, `${what}targets`);
}

function requireShares({ rows, columns, data }: Samples, name: string): void {
  for (let row = 0; row < rows; row++) {
    const shares = data.subarray(row * columns, (row + 1) * columns);
    const sum = shares.reduce((total, share) => total + share, 0);
    if (Math.abs(sum - 1) > SHARE_TOLERANCE || shares.some((share) => share < 0)) {
      throw new RangeError(`row ${row} of the ${name} are not shares that sum to 1: [${shares}]`);
    }
  }
}
