import { requireInteger } from "../numeric/checks.ts";
import { requireModelAndInputs } from "../model/model_checks.ts";
import { forwardLayer } from "../engine/layer_pass.ts";
import { traceModel } from "../engine/evaluate.ts";
import type { KanLayerModel } from "../model/layer_model.ts";
import type { Samples } from "../numeric/least_squares.ts";
import type { KanModel } from "../model/model.ts";
import { type EdgeAddress, layerOfEdge } from "../pruning/prune.ts";

/** A curve to draw. */
export interface Curve {
  /** Ascending. */
  readonly x: readonly number[];
  /** As many values. */
  readonly y: readonly number[];
}

/**
 * What an edge computes, from the lowest to the highest input that the samples give it.
 *
 * @param inputs [samples, inputs of the model], at least 1.
 * @param points Number of points of the curve, at least 2; 101 if omitted.
 * @throws RangeError if there is no such edge or no sample.
 *
 * ```ts
 * import { createKanModel, createRandom, samplesFrom } from "@kanpress/kanpress/kan";
 * import { edgeCurve } from "@kanpress/kanpress/plots";
 * import assert from "node:assert";
 *
 * const model = createKanModel({ widths: [1, 1], random: createRandom(0) });
 * const { x } = edgeCurve(model, samplesFrom([[-1], [3]]), { layer: 0, input: 0, output: 0 }, 5);
 * assert.deepEqual(x, [-1, 0, 1, 2, 3]);
 * ```
 */
export function edgeCurve(
  model: KanModel,
  inputs: Samples,
  at: EdgeAddress,
  points = 101,
): Curve {
  requireModelAndInputs(model, inputs, 1);
  requireInteger("points", points, 2);
  const layer = layerOfEdge(model, at);
  const trace = traceModel(model, inputs, { edges: false, slopes: false })[at.layer]!;
  const curve = layerCurves(layer, trace.inputs, points)(at.input, at.output);
  const column = at.layer === 0 ? model.scaling?.inputs[at.input] : undefined;
  if (column === undefined) return curve;
  return { ...curve, x: curve.x.map((x) => column.center + column.spread * x) };
}

/** The curves of all edges of a layer with these inputs, [samples, inputDim]. */
export function layerCurves(
  layer: KanLayerModel,
  inputs: Float64Array,
  points: number,
): (input: number, output: number) => Curve {
  const { inputDim, outputDim } = layer;
  if (inputs.length === 0) throw new RangeError("a curve needs at least 1 sample");
  const lowest = new Float64Array(inputDim).fill(Infinity);
  const highest = new Float64Array(inputDim).fill(-Infinity);
  inputs.forEach((x, at) => {
    lowest[at % inputDim] = Math.min(lowest[at % inputDim]!, x);
    highest[at % inputDim] = Math.max(highest[at % inputDim]!, x);
  });
  const along = new Float64Array(points * inputDim);
  for (let p = 0; p < points; p++) {
    for (let i = 0; i < inputDim; i++) {
      const share = p / (points - 1);
      along[p * inputDim + i] = lowest[i]! * (1 - share) + highest[i]! * share;
    }
  }
  const { edges } = forwardLayer(layer, along, points, { edges: true, slopes: false });
  const pick = (data: Float64Array, step: number, from: number) =>
    Array.from({ length: points }, (_, p) => data[p * step + from]!);
  return (input, output) => ({
    x: pick(along, inputDim, input),
    y: pick(edges, inputDim * outputDim, input * outputDim + output),
  });
}
