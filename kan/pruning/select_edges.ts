import { traceModel } from "../engine/evaluate.ts";
import { columnSpreads } from "../engine/regularizer.ts";
import { type KanLayerModel, nodeCount } from "../model/layer_model.ts";
import type { KanModel } from "../model/model.ts";
import type { SymbolicEdge } from "../model/symbolic_functions.ts";
import type { Samples } from "../numeric/least_squares.ts";
import { ownersOfSums } from "../engine/backward_scores.ts";

/** The model with only some nodes of a hidden layer; what others gave on average stays. */
export function keepNodesOf(
  model: KanModel,
  inputs: Samples,
  at: number,
  kept: readonly number[],
): KanModel {
  const layer = model.layers[at]!, next = model.layers[at + 1]!;
  const edges = othersOf(nodeCount(layer), kept).flatMap((node) => edgesOfInput(next, node));
  const after = selectInputs(foldMeans(next, edges, edgeMeans(model, inputs, at + 1)), kept);
  const layers = model.layers.with(at, selectNodes(layer, kept)).with(at + 1, after);
  return { ...model, layers };
}

/** The model with only some inputs; what others gave on average stays. */
export function keepInputsOf(
  model: KanModel,
  inputs: Samples,
  kept: readonly number[],
): KanModel {
  const [first, ...rest] = model.layers as [KanLayerModel, ...KanLayerModel[]];
  const edges = othersOf(first.inputDim, kept).flatMap((input) => edgesOfInput(first, input));
  const layer = selectInputs(foldMeans(first, edges, edgeMeans(model, inputs, 0)), kept);
  const { scaling } = model;
  const columns = scaling && { ...scaling, inputs: kept.map((i) => scaling.inputs[i]!) };
  return { layers: [layer, ...rest], ...(columns !== undefined && { scaling: columns }) };
}

function othersOf(count: number, kept: readonly number[]): number[] {
  return Array.from({ length: count }, (_, i) => i).filter((i) => !kept.includes(i));
}

/** The places of the edges of one input of a layer. */
function edgesOfInput(layer: KanLayerModel, input: number): number[] {
  return Array.from({ length: layer.outputDim }, (_, o) => input * layer.outputDim + o);
}

/** The mean over the samples of what every edge of a layer gives. */
export function edgeMeans(model: KanModel, inputs: Samples, layer: number): Float64Array {
  const { edges } = traceModel(model, inputs, { edges: true, slopes: false })[layer]!;
  const { inputDim, outputDim } = model.layers[layer]!;
  return columnSpreads(edges, inputDim * outputDim).means;
}

/** Adds the means of edges that are about to go to another living edge of the same sum. */
export function foldMeans(
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

/** The layer without some edges. */
export function withoutEdges(layer: KanLayerModel, removed: readonly number[]): KanLayerModel {
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
