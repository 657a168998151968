import { requireNumber } from "../numeric/checks.ts";
import { requireModelAndInputs } from "../model/model_checks.ts";
import { attributeKan, ownersOfSums } from "./attribution.ts";
import { traceModel } from "../engine/evaluate.ts";
import { columnSpreads } from "../engine/regularizer.ts";
import { isAlive, type KanLayerModel, nodeCount } from "../model/layer_model.ts";
import type { Samples } from "../numeric/least_squares.ts";
import type { KanModel } from "../model/model.ts";
import type { SymbolicEdge } from "../model/symbolic_functions.ts";

/** Scores at or below which {@link pruneKan} removes parts. */
export interface PruneOptions {
  /** For hidden nodes; .01 if absent, as in pykan. */
  readonly nodeThreshold?: number;
  /** For edges; .03 if absent, as in pykan. */
  readonly edgeThreshold?: number;
}

/**
 * A smaller model: hidden nodes with low scores are removed, then edges, then nodes left without
 * use. Scores are those of {@link attributeKan}. The mean of what a removed edge gave is added to
 * another edge of the same sum, so that the outputs do not shift. A layer keeps its best node, and a
 * sum its best edge.
 *
 * @param inputs [samples, inputs of the model], at least 2 samples that differ.
 * @throws RangeError if there are fewer than 2 samples.
 *
 * ```ts
 * import { createKanModel, createRandom, samplesFrom } from "@kanpress/kanpress/kan";
 * import { pruneKan } from "@kanpress/kanpress/kan/pruning";
 * import assert from "node:assert";
 *
 * const model = createKanModel({ widths: [1, 4, 1], random: createRandom(0) });
 * const x = samplesFrom([[-1], [-0.5], [0], [0.5], [1]]);
 * const pruned = pruneKan(model, x, { nodeThreshold: 0.3 });
 * assert.ok(pruned.layers[0]!.outputDim < 4);
 * ```
 */
export function pruneKan(model: KanModel, inputs: Samples, options: PruneOptions = {}): KanModel {
  const { nodeThreshold = 0.01, edgeThreshold = 0.03 } = options;
  requireModelAndInputs(model, inputs, 2);
  requireNumber("nodeThreshold", nodeThreshold, { least: 0 });
  requireNumber("edgeThreshold", edgeThreshold, { least: 0 });
  const fewerNodes = pruneNodes(model, inputs, nodeThreshold);
  return pruneNodes(pruneEdges(fewerNodes, inputs, edgeThreshold), inputs, 0);
}

/** A model without some inputs. */
export interface PrunedInputs {
  /** The model on the kept inputs. */
  readonly model: KanModel;
  /** Which inputs are kept, ascending. */
  readonly kept: readonly number[];
}

/**
 * The model without the inputs whose score is at most `threshold`; the best input stays.
 *
 * @param inputs [samples, inputs of the model], at least 2 samples.
 * @param threshold .01 if absent, as in pykan.
 * @throws RangeError if there are fewer than 2 samples.
 *
 * ```ts
 * import { createKanModel, createRandom, samplesFrom } from "@kanpress/kanpress/kan";
 * import { pruneInputs } from "@kanpress/kanpress/kan/pruning";
 * import assert from "node:assert";
 *
 * const model = createKanModel({ widths: [2, 1], random: createRandom(0) });
 * const { kept } = pruneInputs(model, samplesFrom([[0.1, 0.3], [0.7, 0.3]])); // the second is constant
 * assert.deepEqual(kept, [0]);
 * ```
 */
export function pruneInputs(model: KanModel, inputs: Samples, threshold = 0.01): PrunedInputs {
  requireModelAndInputs(model, inputs, 2);
  requireNumber("threshold", threshold, { least: 0 });
  const kept = indicesAbove(attributeKan(model, inputs).inputs, threshold);
  const [first, ...rest] = model.layers;
  const removed = Array.from({ length: first!.inputDim }, (_, i) => i).filter((i) =>
    !kept.includes(i)
  );
  const edges = removed.flatMap((i) => edgesOfInput(first!, i));
  const layer = selectInputs(foldMeans(first!, edges, edgeMeans(model, inputs, 0)), kept);
  const { scaling } = model;
  const columns = scaling && { ...scaling, inputs: kept.map((i) => scaling.inputs[i]!) };
  return {
    model: { layers: [layer, ...rest], ...(columns !== undefined && { scaling: columns }) },
    kept,
  };
}

/**
 * The model without one edge; the mean of what it gave to `inputs` is added to another edge of the
 * same sum, if there is one.
 *
 * @throws RangeError if there is no such edge.
 *
 * ```ts
 * import { createKanModel, createRandom, samplesFrom } from "@kanpress/kanpress/kan";
 * import { removeEdge } from "@kanpress/kanpress/kan/pruning";
 * import assert from "node:assert";
 *
 * const model = createKanModel({ widths: [2, 1], random: createRandom(0) });
 * const smaller = removeEdge(model, samplesFrom([[0, 0]]), { layer: 0, input: 1, output: 0 });
 * assert.deepEqual([...smaller.layers[0]!.mask], [1, 0]);
 * ```
 */
export function removeEdge(model: KanModel, inputs: Samples, at: EdgeAddress): KanModel {
  requireModelAndInputs(model, inputs);
  const layer = layerOfEdge(model, at);
  const edge = at.input * layer.outputDim + at.output;
  const without = withoutEdges(foldMeans(layer, [edge], edgeMeans(model, inputs, at.layer)), [
    edge,
  ]);
  return { ...model, layers: model.layers.with(at.layer, without) };
}

/** Which edge of a model. */
export interface EdgeAddress {
  /** Index of the layer. */
  readonly layer: number;
  /** Index of the input of the layer. */
  readonly input: number;
  /** Index of the sum of the layer. */
  readonly output: number;
}

/** The layer of the edge. @throws RangeError if there is no such edge. */
export function layerOfEdge(model: KanModel, { layer, input, output }: EdgeAddress): KanLayerModel {
  const found = model.layers[layer];
  const isInside = (value: number, end: number) =>
    Number.isInteger(value) && value >= 0 && value < end;
  if (
    found === undefined || !isInside(input, found.inputDim) || !isInside(output, found.outputDim)
  ) {
    throw new RangeError(`there is no edge from input ${input} to sum ${output} of layer ${layer}`);
  }
  return found;
}

function pruneNodes(model: KanModel, inputs: Samples, threshold: number): KanModel {
  const scores = attributeKan(model, inputs).layers;
  const layers = [...model.layers];
  for (let l = 0; l + 1 < layers.length; l++) {
    const kept = indicesAbove(scores[l]!.nodes, threshold);
    const all = nodeCount(layers[l]!);
    if (kept.length === all) continue;
    const next = layers[l + 1]!;
    const lost = Array.from({ length: all }, (_, n) => n).filter((n) => !kept.includes(n));
    const edges = lost.flatMap((n) => edgesOfInput(next, n));
    layers[l + 1] = selectInputs(
      foldMeans(next, edges, edgeMeans({ ...model, layers }, inputs, l + 1)),
      kept,
    );
    layers[l] = selectNodes(layers[l]!, kept);
  }
  return { ...model, layers };
}

function pruneEdges(model: KanModel, inputs: Samples, threshold: number): KanModel {
  const scores = attributeKan(model, inputs).layers;
  const layers = [...model.layers];
  layers.forEach((layer, l) => {
    const { inputDim, outputDim } = layer;
    const edges = scores[l]!.edges;
    const removed: number[] = [];
    for (let o = 0; o < outputDim; o++) {
      const column = Float64Array.from({ length: inputDim }, (_, i) => edges[i * outputDim + o]!);
      const kept = indicesAbove(column, threshold);
      for (let i = 0; i < inputDim; i++) {
        if (!kept.includes(i) && isAlive(layer, i, o)) removed.push(i * outputDim + o);
      }
    }
    const means = edgeMeans({ ...model, layers }, inputs, l);
    layers[l] = withoutEdges(foldMeans(layer, removed, means), removed);
  });
  return { ...model, layers };
}

/** The indices of scores above the threshold, or of the highest if none is. */
function indicesAbove(scores: Float64Array, threshold: number): number[] {
  const above = Array.from(scores.keys()).filter((i) => scores[i]! > threshold);
  return above.length > 0 ? above : [scores.indexOf(scores.reduce((a, b) => Math.max(a, b)))];
}

function edgesOfInput(layer: KanLayerModel, input: number): number[] {
  return Array.from({ length: layer.outputDim }, (_, o) => input * layer.outputDim + o);
}

function edgeMeans(model: KanModel, inputs: Samples, layer: number): Float64Array {
  const { edges } = traceModel(model, inputs, { edges: true, slopes: false })[layer]!;
  const { inputDim, outputDim } = model.layers[layer]!;
  return columnSpreads(edges, inputDim * outputDim).means;
}

/** Adds the means of edges that are about to go to another living edge of the same sum. */
function foldMeans(
  layer: KanLayerModel,
  removed: readonly number[],
  means: Float64Array,
): KanLayerModel {
  const { inputDim, outputDim } = layer;
  const coefficients = layer.coefficients.slice();
  const symbolic = new Map(layer.symbolic);
  const going = new Set(removed);
  const size = layer.bases[0]!.size;
  for (const edge of removed) {
    const o = edge % outputDim;
    const isTaker = (taker: number) => {
      if (going.has(taker)) return false;
      if (symbolic.has(taker)) return true;
      const { kind } =
        layer.bases[layer.bases.length === 1 ? 0 : (taker - o) / outputDim]!.description;
      // Only B-splines sum to 1, and only with a scale that is not 0 does that reach the sum.
      return layer.mask[taker] === 1 && kind === "bspline" && layer.splineScales[taker] !== 0;
    };
    const taker = Array.from({ length: inputDim }, (_, i) => i * outputDim + o).find(isTaker);
    if (taker === undefined) continue;
    const form = symbolic.get(taker);
    if (form !== undefined) {
      symbolic.set(taker, { ...form, outputShift: form.outputShift + means[edge]! });
      continue;
    }
    const shift = means[edge]! / (layer.splineScales[taker] ?? 1);
    const input = (taker - o) / outputDim;
    for (let j = 0; j < size; j++) coefficients[(input * size + j) * outputDim + o]! += shift;
  }
  return { ...layer, coefficients, symbolic };
}

function withoutEdges(layer: KanLayerModel, removed: readonly number[]): KanLayerModel {
  const mask = layer.mask.slice();
  const symbolic = new Map(layer.symbolic);
  for (const edge of removed) {
    mask[edge] = 0;
    symbolic.delete(edge);
  }
  return { ...layer, mask, symbolic };
}

/** The layer with only some of its inputs. */
function selectInputs(layer: KanLayerModel, kept: readonly number[]): KanLayerModel {
  const bases = layer.bases.length === 1 ? layer.bases : kept.map((i) => layer.bases[i]!);
  const outputs = Array.from({ length: layer.outputDim }, (_, o) => o);
  return { ...selectEdges(layer, kept, outputs), bases };
}

/** The layer with only some of its nodes. */
function selectNodes(layer: KanLayerModel, kept: readonly number[]): KanLayerModel {
  const owners = ownersOfSums(layer);
  const sums = owners.flatMap((owner, o) => kept.includes(owner) ? [o] : []);
  const plain = nodeCount(layer) - layer.products.length;
  const products = layer.products.filter((_, p) => kept.includes(plain + p));
  const inputs = Array.from({ length: layer.inputDim }, (_, i) => i);
  return { ...selectEdges(layer, inputs, sums), products };
}

function selectEdges(
  layer: KanLayerModel,
  inputs: readonly number[],
  outputs: readonly number[],
): KanLayerModel {
  const { outputDim, bases: [basis] } = layer;
  const edges = inputs.flatMap((i) => outputs.map((o) => i * outputDim + o));
  const pick = (values: Float64Array) =>
    values.length === 0 ? values : Float64Array.from(edges, (edge) => values[edge]!);
  const coefficients = inputs.flatMap((i) =>
    Array.from(
      { length: basis!.size },
      (_, j) => outputs.map((o) => layer.coefficients[(i * basis!.size + j) * outputDim + o]!),
    ).flat()
  );
  const symbolic = new Map<number, SymbolicEdge>();
  edges.forEach((edge, at) => {
    const form = layer.symbolic.get(edge);
    if (form !== undefined) symbolic.set(at, form);
  });
  return {
    ...layer,
    inputDim: inputs.length,
    outputDim: outputs.length,
    coefficients: Float64Array.from(coefficients),
    baseWeights: pick(layer.baseWeights),
    splineScales: pick(layer.splineScales),
    mask: Uint8Array.from(edges, (edge) => layer.mask[edge]!),
    symbolic,
  };
}
