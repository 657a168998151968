import {
  requireFinite,
  requireInteger,
  requireNumber,
  requireProducts,
  requireSamples,
} from "../numeric/checks.ts";
import { type KanLayerModel, nodeCount } from "./layer_model.ts";
import type { Samples } from "../numeric/least_squares.ts";
import type { KanModel } from "./model.ts";
import { requireScaling } from "./scaling.ts";

/** Throws a RangeError unless the arrays of a model fit each other and hold finite numbers. */
export function requireModel(model: KanModel): void {
  requireInteger("the number of layers of the model", model.layers.length, 1);
  let inputs: number | undefined;
  model.layers.forEach((layer, l) => {
    requireLayer(layer, l);
    if (inputs !== undefined && layer.inputDim !== inputs) {
      throw new RangeError(
        `layer ${l} has ${layer.inputDim} inputs, but the layer before has ${inputs} nodes`,
      );
    }
    inputs = nodeCount(layer);
  });
  if (model.scaling !== undefined) {
    requireScaling(model.scaling, model.layers[0]!.inputDim, inputs!);
  }
}

/** As {@link requireModel}, and that there are at least `leastRows` samples for its inputs. */
export function requireModelAndInputs(
  model: KanModel,
  inputs: Samples,
  leastRows: number = 0,
  name: string = "inputs",
): void {
  requireModel(model);
  requireSamples(name, inputs, leastRows);
  const { inputDim } = model.layers[0]!;
  // Samples of no rows may have been made without knowing how many columns they would have.
  if (inputs.rows > 0 && inputs.columns !== inputDim) {
    throw new RangeError(`the model has ${inputDim} inputs, the samples ${inputs.columns}`);
  }
}

function requireLayer(layer: KanLayerModel, l: number): void {
  const { inputDim, outputDim, products, bases, mask, symbolic } = layer;
  requireInteger(`inputDim of layer ${l}`, inputDim, 1);
  requireInteger(`outputDim of layer ${l}`, outputDim, 1);
  requireProducts(`products of layer ${l}`, products, outputDim);
  if (bases.length !== 1 && bases.length !== inputDim) {
    throw new RangeError(`layer ${l} has ${bases.length} bases for ${inputDim} inputs`);
  }
  const edges = inputDim * outputDim;
  const requireLength = (name: string, values: ArrayLike<number>, lengths: readonly number[]) => {
    if (!lengths.includes(values.length)) {
      const expected = lengths.join(" or ");
      throw new RangeError(
        `${name} of layer ${l} must be ${expected} values, got ${values.length}`,
      );
    }
    requireFinite(`${name} of layer ${l}`, values);
  };
  requireLength("coefficients", layer.coefficients, [edges * bases[0]!.size]);
  requireLength("baseWeights", layer.baseWeights, [0, edges]);
  requireLength("splineScales", layer.splineScales, [0, edges]);
  requireLength("mask", mask, [edges]);
  for (const [edge, form] of symbolic) {
    requireInteger(`the place of a symbolic edge of layer ${l}`, edge, 0, edges - 1);
    requireForm(form);
  }
}

/** Throws a RangeError unless the four numbers of a closed form are finite. */
export function requireForm(form: {
  readonly inputScale: number;
  readonly inputShift: number;
  readonly outputScale: number;
  readonly outputShift: number;
}): void {
  for (const name of ["inputScale", "inputShift", "outputScale", "outputShift"] as const) {
    requireNumber(name, form[name]);
  }
}
