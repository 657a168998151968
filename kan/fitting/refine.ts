import { requireInteger } from "../numeric/checks.ts";
import { requireModel, requireModelAndInputs } from "../model/model_checks.ts";
import { createBsplines, gridOf } from "../bases/bspline.ts";
import { type Grid, gridFromBreaks } from "../bases/grid.ts";
import { traceModel } from "../engine/evaluate.ts";
import { withBases } from "./grid_update.ts";
import type { KanLayerModel } from "../model/layer_model.ts";
import type { Samples } from "../numeric/least_squares.ts";
import { type KanModel, layerParameterCount, parameterCount } from "../model/model.ts";
import { type AdamState, requireAdamState } from "../optimizers/adam.ts";

/**
 * The model on grids of `intervals` intervals, its splines refitted: pykan's grid extension. The new
 * breaks divide the old ones evenly, so a multiple of the old number loses nothing.
 *
 * Curves are fitted over their whole range; with `inputs`, then corrected to fit best there, as
 * pykan does. Layers of other bases stay as they are.
 *
 * @param intervals New number of intervals, an integer of at least 1.
 * @param inputs [samples, inputs of the model].
 * @throws RangeError if `intervals` is not such an integer.
 *
 * ```ts
 * import { createKanModel, createRandom, evaluateKan, refineKan, samplesFrom } from "@kanpress/kanpress/kan";
 * import assert from "node:assert";
 *
 * const model = createKanModel({ widths: [1, 1], grid: { intervals: 5 }, random: createRandom(0) });
 * const at = samplesFrom([[0.3]]);
 * const [before] = evaluateKan(model, at).data;
 * const [after] = evaluateKan(refineKan(model, 10), at).data;
 * assert.ok(Math.abs(after! - before!) < 1e-12);
 * ```
 */
export function refineKan(model: KanModel, intervals: number, inputs?: Samples): KanModel {
  requireInteger("intervals", intervals, 1);
  if (inputs === undefined) requireModel(model);
  else requireModelAndInputs(model, inputs);
  const traces = inputs && traceModel(model, inputs, { edges: false, slopes: false });
  const layers = model.layers.map((layer, l) => {
    if (layer.bases.some((basis) => gridOf(basis) === undefined)) return layer;
    const bases = layer.bases.map((basis) => {
      return createBsplines(divideGrid(gridOf(basis)!, intervals), basis.extrapolation);
    });
    const data = traces?.[l]?.inputs;
    const columns = data && Array.from({ length: layer.inputDim }, (_, i) => {
      return data.filter((_, at) => at % layer.inputDim === i);
    });
    return withBases(layer, bases, columns);
  });
  return { ...model, layers };
}

/** The grid with its breaks resampled to another number of intervals by linear interpolation. */
function divideGrid(grid: Grid, intervals: number): Grid {
  const { order, knots } = grid;
  const breaks = Float64Array.from({ length: intervals + 1 }, (_, i) => {
    const position = i * grid.intervals / intervals;
    const whole = Math.min(Math.floor(position), grid.intervals - 1), part = position - whole;
    return knots[order + whole]! * (1 - part) + knots[order + whole + 1]! * part;
  });
  return gridFromBreaks(breaks, order);
}

/**
 * Adam's moments for the refined model. The gradient with respect to a coefficient is an integral
 * over its B-spline, so the moments are interpolated between the centres of the splines and scaled
 * by the ratio of interval widths, squared for the second; all other moments stay.
 *
 * @param before The model that `state` belongs to.
 * @param after `before` refined.
 * @throws RangeError if the models or the state do not belong together.
 *
 * ```ts
 * import { createKanModel, createRandom, refineAdamState, refineKan } from "@kanpress/kanpress/kan";
 * import { parametersOf, stepAdam } from "@kanpress/kanpress/kan/optimizers";
 * import assert from "node:assert";
 *
 * const model = createKanModel({ widths: [1, 1], random: createRandom(0) });
 * const parameters = parametersOf(model);
 * const { state } = stepAdam(parameters, parameters, { learningRate: 0.01 });
 * const refined = refineKan(model, 6);
 * assert.equal(refineAdamState(model, refined, state).first.length, parametersOf(refined).length);
 * ```
 */
export function refineAdamState(before: KanModel, after: KanModel, state: AdamState): AdamState {
  if (
    before.layers.length !== after.layers.length || state.first.length !== parameterCount(before)
  ) {
    throw new RangeError("the moments, the model and the refined model do not belong together");
  }
  requireAdamState(state);
  const count = parameterCount(after);
  const first = new Float64Array(count), second = new Float64Array(count);
  let start = 0, at = 0;
  before.layers.forEach((layer, l) => {
    const refined = after.layers[l]!;
    const rest = start + layer.coefficients.length, end = start + layerParameterCount(layer);
    for (
      const [moments, target, power] of [[state.first, first, 1], [
        state.second,
        second,
        2,
      ]] as const
    ) {
      target.set(interpolateMoments(layer, refined, moments.subarray(start, rest), power), at);
      target.set(moments.subarray(rest, end), at + refined.coefficients.length);
    }
    start = end;
    at += layerParameterCount(refined);
  });
  return { step: state.step, first, second };
}

function interpolateMoments(
  before: KanLayerModel,
  after: KanLayerModel,
  moments: Float64Array,
  power: 1 | 2,
): Float64Array {
  const { inputDim, outputDim } = before;
  const oldSize = before.bases[0]!.size, newSize = after.bases[0]!.size;
  const oldGrid = gridOf(before.bases[0]!), newGrid = gridOf(after.bases[0]!);
  if (oldGrid === undefined || newGrid === undefined || oldSize === newSize) return moments;
  const scale = (oldGrid.intervals / newGrid.intervals) ** power;
  const result = new Float64Array(inputDim * newSize * outputDim);
  for (let i = 0; i < inputDim; i++) {
    for (let j = 0; j < newSize; j++) {
      // Spline j is centred (j - (k - 1) / 2) intervals after the start of the range.
      const center = (j - (newGrid.order - 1) / 2) * oldGrid.intervals / newGrid.intervals;
      const position = Math.min(Math.max(center + (oldGrid.order - 1) / 2, 0), oldSize - 1);
      const whole = Math.min(Math.floor(position), oldSize - 2), part = position - whole;
      for (let o = 0; o < outputDim; o++) {
        const at = (i * oldSize + whole) * outputDim + o;
        const value = moments[at]! * (1 - part) + moments[at + outputDim]! * part;
        result[(i * newSize + j) * outputDim + o] = value * scale;
      }
    }
  }
  return result;
}
