import { requireNumber } from "../numeric/checks.ts";
import { requireForm, requireModelAndInputs } from "../model/model_checks.ts";
import { traceModel } from "../engine/evaluate.ts";
import type { KanLayerModel } from "../model/layer_model.ts";
import type { Samples } from "../numeric/least_squares.ts";
import type { KanModel } from "../model/model.ts";
import { type EdgeAddress, layerOfEdge } from "../pruning/prune.ts";
import {
  fitSymbolic,
  type SearchRanges,
  suggestForCurve,
  type Suggestion,
  type SuggestOptions,
} from "./fit_curve.ts";
import { type SymbolicEdge, symbolicFunction } from "../model/symbolic_functions.ts";

/**
 * The closed forms c f(a x + b) + d that are like an edge at the samples, best score first.
 *
 * @param inputs [samples, inputs of the model], at least 2.
 * @throws RangeError if there is no such edge or function, or fewer than 2 samples.
 *
 * ```ts
 * import { createKanModel, createRandom, fitKan, samplesFrom } from "@kanpress/kanpress/kan";
 * import { suggestSymbolic } from "@kanpress/kanpress/kan/symbolic";
 * import assert from "node:assert";
 *
 * const x = Array.from({ length: 60 }, (_, i) => -1 + i / 30);
 * const inputs = samplesFrom(x.map((each) => [each]));
 * const targets = samplesFrom(x.map((each) => [Math.sin(3 * each + 1)]));
 * const model = createKanModel({ widths: [1, 1], grid: { intervals: 8 }, random: createRandom(0) });
 * const fit = await fitKan(model, { inputs, targets }, { steps: 15, optimizer: "levenberg-marquardt" });
 * const functions = ["x", "x^2", "sin", "exp"];
 * const [best] = suggestSymbolic(fit.model, inputs, { layer: 0, input: 0, output: 0 }, { functions });
 * assert.equal(best!.edge.name, "sin");
 * ```
 */
export function suggestSymbolic(
  model: KanModel,
  inputs: Samples,
  at: EdgeAddress,
  options: SuggestOptions = {},
): readonly Suggestion[] {
  requireModelAndInputs(model, inputs, 2);
  const { x, y } = edgeSamples(model, inputs, at);
  return suggestForCurve(x, y, options);
}

/**
 * The model with one edge replaced by a closed form: the given one, or the best with the named
 * function. The spline stays stored but is switched off.
 *
 * @param inputs [samples, inputs of the model], used if only a name is given.
 * @param ranges Where the scale and shift inside the function are sought for a name.
 * @throws RangeError if there is no such edge or function, or fewer than 2 samples.
 *
 * ```ts
 * import { createKanModel, createRandom, evaluateKan, samplesFrom } from "@kanpress/kanpress/kan";
 * import { fixSymbolic } from "@kanpress/kanpress/kan/symbolic";
 * import assert from "node:assert";
 *
 * const model = createKanModel({ widths: [1, 1], random: createRandom(0) });
 * const form = { name: "x^2", inputScale: 1, inputShift: 0, outputScale: 2, outputShift: 1 };
 * const x = samplesFrom([[0.5], [1]]);
 * const fixed = fixSymbolic(model, x, { layer: 0, input: 0, output: 0 }, form);
 * assert.deepEqual([...evaluateKan(fixed, x).data], [1.5, 3]);
 * ```
 */
export function fixSymbolic(
  model: KanModel,
  inputs: Samples,
  at: EdgeAddress,
  form: string | SymbolicEdge,
  ranges: SearchRanges = {},
): KanModel {
  requireModelAndInputs(model, inputs);
  const layer = layerOfEdge(model, at);
  const edge = at.input * layer.outputDim + at.output;
  let fitted: SymbolicEdge;
  if (typeof form === "string") {
    const { x, y } = edgeSamples(model, inputs, at);
    fitted = fitSymbolic(symbolicFunction(form), x, y, ranges).edge;
  } else {
    symbolicFunction(form.name);
    requireForm(form);
    fitted = form;
  }
  const symbolic = new Map([...layer.symbolic, [edge, fitted] as const].sort(([a], [b]) => a - b));
  return withLayer(model, at.layer, { ...layer, mask: layer.mask.with(edge, 0), symbolic });
}

/**
 * The model with a symbolic edge turned back into its stored spline.
 *
 * @throws RangeError if there is no such edge.
 *
 * ```ts
 * import { createKanModel, createRandom, samplesFrom } from "@kanpress/kanpress/kan";
 * import { fixSymbolic, releaseSymbolic } from "@kanpress/kanpress/kan/symbolic";
 * import assert from "node:assert";
 *
 * const model = createKanModel({ widths: [1, 1], random: createRandom(0) });
 * const at = { layer: 0, input: 0, output: 0 };
 * const fixed = fixSymbolic(model, samplesFrom([[0], [1]]), at, "x");
 * assert.deepEqual(releaseSymbolic(fixed, at), model);
 * ```
 */
export function releaseSymbolic(model: KanModel, at: EdgeAddress): KanModel {
  const layer = layerOfEdge(model, at);
  const edge = at.input * layer.outputDim + at.output;
  const symbolic = new Map(layer.symbolic);
  if (!symbolic.delete(edge)) return model;
  return withLayer(model, at.layer, { ...layer, mask: layer.mask.with(edge, 1), symbolic });
}

/** What {@link autoSymbolic} did with one edge. */
export interface SymbolicChoice extends EdgeAddress {
  /** The best suggestion. */
  readonly suggestion: Suggestion;
  /** Whether the edge was replaced by it. */
  readonly fixed: boolean;
}

/** How {@link autoSymbolic} chooses. */
export interface AutoSymbolicOptions extends SuggestOptions {
  /**
   * Edges whose best suggestion explains less than this stay splines; 0 if omitted, as in pykan. Those
   * of which it explains nothing always do.
   */
  readonly leastR2?: number;
}

/**
 * Every living spline edge replaced by its best suggestion, first layer first. An edge that none of
 * the functions explains stays a spline, and its choice says so: `fixed` is false.
 *
 * @param inputs [samples, inputs of the model], at least 2.
 * @throws RangeError if a function is unknown or there are fewer than 2 samples.
 *
 * ```ts
 * import { autoSymbolic } from "@kanpress/kanpress/kan/symbolic";
 * import { createKanModel, createRandom, samplesFrom } from "@kanpress/kanpress/kan";
 * import assert from "node:assert";
 *
 * const model = createKanModel({ widths: [2, 1], random: createRandom(0) });
 * const x = samplesFrom([[-1, 0.2], [-0.5, 1], [0, -0.7], [0.5, -1], [1, 0.4]]);
 * const { choices } = autoSymbolic(model, x, { functions: ["x", "x^2", "sin"] });
 * assert.ok(choices.length === 2 && choices.every((choice) => choice.fixed));
 * ```
 */
export function autoSymbolic(
  model: KanModel,
  inputs: Samples,
  options: AutoSymbolicOptions = {},
): { model: KanModel; choices: readonly SymbolicChoice[] } {
  const { leastR2 = 0 } = options;
  requireModelAndInputs(model, inputs, 2);
  requireNumber("leastR2", leastR2, { least: 0, most: 1 });
  const choices: SymbolicChoice[] = [];
  let current = model;
  model.layers.forEach((layer, l) => {
    // Curves come from the model as it was, so that misfits do not add up along the layers.
    const trace = traceModel(model, inputs, { edges: true, slopes: false })[l]!;
    for (let edge = 0; edge < layer.mask.length; edge++) {
      if (layer.mask[edge] === 0) continue;
      const at = {
        layer: l,
        input: Math.floor(edge / layer.outputDim),
        output: edge % layer.outputDim,
      };
      const { x, y } = columnsOf(layer, trace, at, inputs.rows);
      const suggestion = suggestForCurve(x, y, options)[0]!;
      const fixed = suggestion.r2 > 0 && suggestion.r2 >= leastR2;
      if (fixed) current = fixSymbolic(current, inputs, at, suggestion.edge);
      choices.push({ ...at, suggestion, fixed });
    }
  });
  return { model: current, choices };
}

function withLayer(model: KanModel, at: number, layer: KanLayerModel): KanModel {
  return { ...model, layers: model.layers.with(at, layer) };
}

/** What goes into an edge and what comes out, at the samples. */
function edgeSamples(
  model: KanModel,
  inputs: Samples,
  at: EdgeAddress,
): { x: Float64Array; y: Float64Array } {
  const layer = layerOfEdge(model, at);
  const trace = traceModel(model, inputs, { edges: true, slopes: false })[at.layer]!;
  return columnsOf(layer, trace, at, inputs.rows);
}

function columnsOf(
  layer: KanLayerModel,
  trace: { inputs: Float64Array; edges: Float64Array },
  at: EdgeAddress,
  rows: number,
): { x: Float64Array; y: Float64Array } {
  if (rows < 2) throw new RangeError(`a curve needs at least 2 samples, got ${rows}`);
  const { inputDim, outputDim } = layer;
  const x = new Float64Array(rows), y = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    x[row] = trace.inputs[row * inputDim + at.input]!;
    y[row] = trace.edges[(row * inputDim + at.input) * outputDim + at.output]!;
  }
  return { x, y };
}
