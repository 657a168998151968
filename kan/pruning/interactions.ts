import { nodeCount } from "../model/layer_model.ts";
import type { KanModel } from "../model/model.ts";
import { requireModelAndInputs } from "../model/model_checks.ts";
import { requireInteger, requireNumber } from "../numeric/checks.ts";
import type { Samples } from "../numeric/least_squares.ts";
import { scoresByOutput } from "./attribution.ts";

/**
 * How much each input of the model matters for each node of a layer, by the scores of `attributeKan`
 * with that node in place of the output.
 *
 * @param inputs [samples, inputs of the model], at least 2 samples that differ.
 * @param layer Index of the layer.
 * @returns For each node of the layer the score of each input.
 * @throws RangeError if there is no such layer or there are fewer than 2 samples.
 *
 * ```ts
 * import { createKanModel, createRandom, samplesFrom } from "@kanpress/kanpress/kan";
 * import { attributeNodes } from "@kanpress/kanpress/kan/pruning";
 * import assert from "node:assert";
 *
 * const model = createKanModel({ widths: [2, 3, 1], random: createRandom(0) });
 * const scores = attributeNodes(model, samplesFrom([[0, 0.1], [0.5, 0.7], [-0.4, 0.2]]), 0);
 * assert.deepEqual(scores.map(({ length }) => length), [2, 2, 2]);
 * ```
 */
export function attributeNodes(
  model: KanModel,
  inputs: Samples,
  layer: number,
): readonly Float64Array[] {
  requireModelAndInputs(model, inputs, 2);
  requireInteger("layer", layer, 0, model.layers.length - 1);
  const { scores } = scoresByOutput({ ...model, layers: model.layers.slice(0, layer + 1) }, inputs);
  const nodes = nodeCount(model.layers[layer]!), width = scores.length / nodes;
  return Array.from({ length: nodes }, (_, n) => scores.slice(n * width, (n + 1) * width));
}

/** Inputs that nodes of a layer use together. */
export interface Interaction {
  /** Indices of inputs of the model, ascending. */
  readonly inputs: readonly number[];
  /** Indices of the nodes that use just these. */
  readonly nodes: readonly number[];
}

/** What counts in {@link interactionsOf}. */
export interface InteractionOptions {
  /** Nodes whose highest score is at most this are left out; .01 if omitted, as in pykan. */
  readonly nodeThreshold?: number;
  /** Inputs up to this share of the node's highest score do not count; .01 if omitted, as in pykan. */
  readonly inputThreshold?: number;
}

/**
 * Which inputs the nodes of a layer use together, those of most nodes first.
 *
 * @param inputs [samples, inputs of the model], at least 2 samples that differ.
 * @param layer Index of the layer.
 * @throws RangeError if there is no such layer or a threshold is out of its range.
 *
 * ```ts
 * import { createKanModel, createRandom, samplesFrom } from "@kanpress/kanpress/kan";
 * import { interactionsOf } from "@kanpress/kanpress/kan/pruning";
 * import assert from "node:assert";
 *
 * const model = createKanModel({ widths: [2, 3, 1], random: createRandom(0) });
 * const [most] = interactionsOf(model, samplesFrom([[0, 0.1], [0.5, 0.7], [-0.4, 0.2]]), 0);
 * assert.deepEqual(most, { inputs: [0, 1], nodes: [0, 1, 2] });
 * ```
 */
export function interactionsOf(
  model: KanModel,
  inputs: Samples,
  layer: number,
  options: InteractionOptions = {},
): readonly Interaction[] {
  const { nodeThreshold = 0.01, inputThreshold = 0.01 } = options;
  requireNumber("nodeThreshold", nodeThreshold, { least: 0 });
  requireNumber("inputThreshold", inputThreshold, { least: 0, most: 1 });
  const groups = new Map<string, { inputs: number[]; nodes: number[] }>();
  attributeNodes(model, inputs, layer).forEach((scores, node) => {
    const highest = scores.reduce((a, b) => Math.max(a, b));
    if (!(highest > nodeThreshold)) return;
    const used = Array.from(scores.keys()).filter((i) => scores[i]! > highest * inputThreshold);
    const group = groups.get(`${used}`) ?? { inputs: used, nodes: [] };
    group.nodes.push(node);
    groups.set(`${used}`, group);
  });
  return [...groups.values()].sort((a, b) => b.nodes.length - a.nodes.length);
}
