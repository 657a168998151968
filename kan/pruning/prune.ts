import { requireNumber } from "../numeric/checks.ts";
import { requireModelAndInputs } from "../model/model_checks.ts";
import { attributeKan } from "./attribution.ts";
import { edgeMeans, foldMeans, keepInputsOf, keepNodesOf, withoutEdges } from "./select_edges.ts";
import { isAlive, type KanLayerModel, nodeCount } from "../model/layer_model.ts";
import type { Samples } from "../numeric/least_squares.ts";
import type { KanModel } from "../model/model.ts";

/** Scores at or below which {@link pruneKan} removes parts. */
export interface PruneOptions {
  /** For hidden nodes; .01 if omitted, as in pykan. */
  readonly nodeThreshold?: number;
  /** For edges; .03 if omitted, as in pykan. */
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
 * @param threshold .01 if omitted, as in pykan.
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
  return { model: keepInputsOf(model, inputs, kept), kept };
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
  let pruned = model;
  for (let l = 0; l + 1 < model.layers.length; l++) {
    const kept = indicesAbove(scores[l]!.nodes, threshold);
    if (kept.length < nodeCount(pruned.layers[l]!)) pruned = keepNodesOf(pruned, inputs, l, kept);
  }
  return pruned;
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
