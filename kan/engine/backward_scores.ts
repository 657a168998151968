import { type KanLayerModel, nodeCount } from "../model/layer_model.ts";
import type { KanModel } from "../model/model.ts";
import type { LayerTrace } from "./layer_pass.ts";
import {
  columnSpreads,
  type LayerPenalty,
  type Regularization,
  scorePenalty,
} from "./regularizer.ts";

/** Added to the spread of a sum before dividing by it, as in pykan. */
export const SUM_SPREAD_OFFSET = 1e-4;

/** The node that each sum of the layer belongs to. */
export function ownersOfSums(layer: { outputDim: number; products: readonly number[] }): number[] {
  const factors = layer.products.reduce((sum, count) => sum + count, 0);
  const plain = layer.outputDim - factors;
  const owners = Array.from({ length: plain }, (_, o) => o);
  layer.products.forEach((count, p) => {
    for (let factor = 0; factor < count; factor++) owners.push(plain + p);
  });
  return owners;
}

/** What one layer's part of the attribution scores depends on. */
interface Spreads {
  readonly edges: ReturnType<typeof columnSpreads>;
  readonly sums: ReturnType<typeof columnSpreads>;
  /** Scores of the sums for each output of the model, [outputs, outputDim]. */
  readonly scores: Float64Array;
  /** Mean score of each edge, [inputDim, outputDim]. */
  readonly edgeScores: Float64Array;
}

/**
 * The penalties of all layers on pykan's attribution scores, those of `attributeKan`, and their
 * gradients. Symbolic edges pass scores on, but their own spreads count as constants.
 */
export function penalizeAttributions(
  model: KanModel,
  traces: readonly LayerTrace[],
  regularization: Regularization,
): LayerPenalty[] {
  const outputs = nodeCount(model.layers.at(-1)!);
  let nodeScores = new Float64Array(outputs * outputs);
  for (let k = 0; k < outputs; k++) nodeScores[k * outputs + k] = 1;
  const spreads: Spreads[] = [];
  for (let l = model.layers.length - 1; l >= 0; l--) {
    const layer = model.layers[l]!, { inputDim, outputDim } = layer, trace = traces[l]!;
    const edges = columnSpreads(trace.edges, inputDim * outputDim);
    const sums = columnSpreads(trace.sums, outputDim);
    const owners = ownersOfSums(layer), nodes = nodeCount(layer);
    const scores = new Float64Array(outputs * outputDim);
    const edgeScores = new Float64Array(inputDim * outputDim);
    const below = new Float64Array(outputs * inputDim);
    for (let k = 0; k < outputs; k++) {
      for (let o = 0; o < outputDim; o++) {
        const score = scores[k * outputDim + o] = nodeScores[k * nodes + owners[o]!]!;
        const share = score / (sums.deviations[o]! + SUM_SPREAD_OFFSET);
        for (let i = 0; i < inputDim; i++) {
          const part = share * edges.deviations[i * outputDim + o]!;
          edgeScores[i * outputDim + o]! += part / outputs;
          below[k * inputDim + i]! += part;
        }
      }
    }
    spreads.unshift({ edges, sums, scores, edgeScores });
    nodeScores = below;
  }
  // How the penalties of the layers below depend on the scores of the nodes between.
  let fromBelow = new Float64Array(outputs * model.layers[0]!.inputDim);
  return model.layers.map((layer, l): LayerPenalty => {
    const { edgeGradients, value, nodeGradients } = backward(
      layer,
      traces[l]!,
      spreads[l]!,
      fromBelow,
      regularization,
    );
    fromBelow = nodeGradients;
    return { value, edgeGradients, inputGradients: new Float64Array(traces[l]!.inputs.length) };
  });
}

function backward(
  layer: KanLayerModel,
  trace: LayerTrace,
  { edges, sums, scores, edgeScores }: Spreads,
  fromBelow: Float64Array,
  regularization: Regularization,
): { value: number; edgeGradients: Float64Array; nodeGradients: Float64Array<ArrayBuffer> } {
  const { inputDim, outputDim } = layer, outputs = scores.length / outputDim;
  const rows = trace.inputs.length / inputDim;
  const penalty = scorePenalty(edgeScores, outputDim, regularization);
  const { lambda } = regularization, nodes = nodeCount(layer), owners = ownersOfSums(layer);
  const nodeGradients = new Float64Array(outputs * nodes);
  const edgeSlopes = new Float64Array(inputDim * outputDim),
    sumSlopes = new Float64Array(outputDim);
  for (let k = 0; k < outputs; k++) {
    for (let o = 0; o < outputDim; o++) {
      const spread = sums.deviations[o]! + SUM_SPREAD_OFFSET, score = scores[k * outputDim + o]!;
      for (let i = 0; i < inputDim; i++) {
        const edge = i * outputDim + o, deviation = edges.deviations[edge]!;
        const slope = lambda * penalty.gradient[edge]! / outputs + fromBelow[k * inputDim + i]!;
        edgeSlopes[edge]! += slope * score / spread;
        sumSlopes[o]! -= slope * score * deviation / (spread * spread);
        nodeGradients[k * nodes + owners[o]!]! += slope * deviation / spread;
      }
    }
  }
  const edgeGradients = new Float64Array(trace.edges.length);
  if (rows < 2) return { value: lambda * penalty.value, edgeGradients, nodeGradients };
  for (let row = 0; row < rows; row++) {
    for (let edge = 0; edge < edgeSlopes.length; edge++) {
      if (layer.mask[edge] === 0) continue;
      const o = edge % outputDim, at = row * edgeSlopes.length + edge;
      const [own, sum] = [edges.deviations[edge]!, sums.deviations[o]!];
      let slope = 0;
      if (own > 0) slope += edgeSlopes[edge]! * (trace.edges[at]! - edges.means[edge]!) / own;
      if (sum > 0) {
        slope += sumSlopes[o]! * (trace.sums[row * outputDim + o]! - sums.means[o]!) / sum;
      }
      edgeGradients[at] = slope / (rows - 1);
    }
  }
  return { value: lambda * penalty.value, edgeGradients, nodeGradients };
}
