import { requireModelAndInputs } from "../model/model_checks.ts";
import { traceModel } from "../engine/evaluate.ts";
import { ownersOfSums, SUM_SPREAD_OFFSET } from "../engine/backward_scores.ts";
import { columnSpreads } from "../engine/regularizer.ts";
import { nodeCount } from "../model/layer_model.ts";
import type { Samples } from "../numeric/least_squares.ts";
import type { KanModel } from "../model/model.ts";

/** How much each part of a network matters for its outputs; see {@link attributeKan}. */
export interface Attribution {
  /** Score of each input of the model. */
  readonly inputs: Float64Array;
  /** Scores in each layer. */
  readonly layers: readonly {
    /** Score of each edge, [inputDim, outputDim]. */
    readonly edges: Float64Array;
    /** Score of each node, [nodes]; 1 / outputs in the last layer. */
    readonly nodes: Float64Array;
  }[];
}

/**
 * pykan's attribution scores (Liu et al. 2024, arXiv:2408.10205, section 4.1): from each output
 * backwards, a sum shares its score among its edges by std(edge) / (std(sum) + 1e-4), a product gives
 * its score to every factor, and a node adds up the scores of its outgoing edges. Scores are means
 * over the outputs.
 *
 * @param inputs [samples, inputs of the model]; with one sample nothing varies and all scores of
 * inner parts are 0.
 * @throws RangeError if the number of inputs is wrong.
 *
 * ```ts
 * import { createKanModel, createRandom, samplesFrom } from "@kanpress/kanpress/kan";
 * import { attributeKan } from "@kanpress/kanpress/kan/pruning";
 * import assert from "node:assert";
 *
 * const model = createKanModel({ widths: [2, 3, 1], random: createRandom(0) });
 * const scores = attributeKan(model, samplesFrom([[0, 0.1], [0.5, 0.7], [-0.4, 0.2]]));
 * assert.equal(scores.inputs.length, 2);
 * assert.equal(scores.layers[0]!.edges.length, 6);
 * ```
 */
export function attributeKan(model: KanModel, inputs: Samples): Attribution {
  requireModelAndInputs(model, inputs);
  const { scores, layers } = scoresByOutput(model, inputs);
  return { inputs: meanOverOutputs(scores, nodeCount(model.layers.at(-1)!)), layers };
}

/** As {@link attributeKan}, with the scores of the inputs for every output, [outputs, inputs]. */
export function scoresByOutput(
  model: KanModel,
  inputs: Samples,
): { scores: Float64Array; layers: Attribution["layers"] } {
  const traces = traceModel(model, inputs, { edges: true, slopes: false });
  const outputs = nodeCount(model.layers.at(-1)!);
  // Scores of the nodes of the current layer for each output, [outputs, nodes].
  let nodeScores = new Float64Array(outputs * outputs);
  for (let k = 0; k < outputs; k++) nodeScores[k * outputs + k] = 1;
  const layers = [];
  for (let l = model.layers.length - 1; l >= 0; l--) {
    const layer = model.layers[l]!, { inputDim, outputDim } = layer;
    const nodes = nodeCount(layer), owners = ownersOfSums(layer);
    const edgeSpreads = columnSpreads(traces[l]!.edges, inputDim * outputDim).deviations;
    const sumSpreads = columnSpreads(traces[l]!.sums, outputDim).deviations;
    const edges = new Float64Array(inputDim * outputDim);
    const below = new Float64Array(outputs * inputDim);
    for (let k = 0; k < outputs; k++) {
      for (let edge = 0; edge < edges.length; edge++) {
        const o = edge % outputDim, i = (edge - o) / outputDim;
        const share = edgeSpreads[edge]! / (sumSpreads[o]! + SUM_SPREAD_OFFSET);
        const score = nodeScores[k * nodes + owners[o]!]! * share;
        edges[edge]! += score / outputs;
        below[k * inputDim + i]! += score;
      }
    }
    layers.unshift({ edges, nodes: meanOverOutputs(nodeScores, outputs) });
    nodeScores = below;
  }
  return { scores: nodeScores, layers };
}

function meanOverOutputs(scores: Float64Array, outputs: number): Float64Array {
  const width = scores.length / outputs;
  return Float64Array.from({ length: width }, (_, n) => {
    let sum = 0;
    for (let k = 0; k < outputs; k++) sum += scores[k * width + n]!;
    return sum / outputs;
  });
}
