import { evaluateBase } from "../bases/base_function.ts";
import { evaluatePointsFast } from "../bases/evaluate_basis.ts";
import type { EdgeBatch } from "../kernels/edge_batch.ts";
import { edgeKernels } from "../kernels/edge_kernels.ts";
import type { KanLayerModel } from "../model/layer_model.ts";
import { layerParameterCount } from "../model/model.ts";
import { evaluateSymbolic, symbolicFunction } from "../model/symbolic_functions.ts";

/** What the forward pass of a layer leaves for the backward pass. */
export interface LayerTrace {
  /** Inputs [rows, inputDim]. */
  readonly inputs: Float64Array;
  /** The functions at the inputs, and their weights and factors. */
  readonly batch: EdgeBatch<Float64Array>;
  /** Sums before multiplication, [rows, outputDim]. */
  readonly sums: Float64Array;
  /** Outputs of the edges [rows, inputDim, outputDim]; empty unless asked for. */
  readonly edges: Float64Array;
  /** Nodes of the layer, [rows, nodeCount]. */
  readonly nodes: Float64Array;
}

/** The forward pass of `rows` samples in float64, each point touching `support` coefficients. */
export function forwardLayer(
  layer: KanLayerModel,
  inputs: Float64Array,
  rows: number,
  wants: { edges: boolean; slopes: boolean },
): LayerTrace {
  const batch = edgeBatchOf(layer, inputs, rows, wants.slopes);
  const { sums, edges } = edgeKernels.forward(batch, wants.edges);
  addSymbolicEdges(layer, inputs, rows, sums, edges);
  return { inputs, batch, sums, edges, nodes: multiplySums(layer, sums, rows) };
}

function edgeBatchOf(
  layer: KanLayerModel,
  inputs: Float64Array,
  rows: number,
  wantsSlopes: boolean,
): EdgeBatch<Float64Array> {
  const { inputDim, outputDim, mask } = layer;
  const { size, support } = layer.bases[0]!;
  return {
    ...evaluatePointsFast(layer.bases, inputs, inputDim, wantsSlopes),
    rows,
    inputs: inputDim,
    outputs: outputDim,
    size,
    support,
    ...evaluateBase(layer.base, inputs, wantsSlopes),
    weights: layer.coefficients,
    factors: splineFactors(layer),
    baseWeights: layer.base === "none"
      ? new Float64Array(0)
      : layer.baseWeights.map((weight, edge) => mask[edge]! * weight),
  };
}

/**
 * The backward pass: adds the gradient with respect to the parameters of the layer, in their order,
 * to `gradient` and returns the gradient with respect to the inputs, [rows, inputDim]; empty if the
 * trace has no slopes.
 *
 * @param nodeGradients Gradient with respect to the nodes, [rows, nodeCount].
 * @param edgeGradients Gradient with respect to the spline edges besides, [rows, inputDim,
 * outputDim], or undefined.
 */
export function backwardLayer(
  layer: KanLayerModel,
  trace: LayerTrace,
  nodeGradients: Float64Array,
  edgeGradients: Float64Array | undefined,
  gradient: Float64Array,
): Float64Array {
  const { coefficients, mask, splineScales } = layer;
  const sumGradients = unmultiply(layer, trace.sums, nodeGradients, trace.batch.rows);
  const { weights, factors, baseWeights, inputs } = edgeKernels.backward(
    trace.batch,
    sumGradients,
    edgeGradients ?? new Float64Array(0),
  );
  const baseAt = coefficients.length, scaleAt = baseAt + layer.baseWeights.length;
  addTo(gradient, 0, weights);
  if (splineScales.length > 0) {
    addTo(gradient, scaleAt, factors.map((slope, edge) => mask[edge]! * slope));
  }
  for (let edge = 0; edge < baseWeights.length; edge++) {
    gradient[baseAt + edge]! += mask[edge]! * baseWeights[edge]!;
  }
  backwardSymbolicEdges(layer, trace.inputs, sumGradients, inputs, gradient);
  return inputs;
}

function addTo(target: Float64Array, start: number, values: Float64Array): void {
  for (let i = 0; i < values.length; i++) target[start + i]! += values[i]!;
}

/** mask * splineScale of every edge. */
function splineFactors({ mask, splineScales }: KanLayerModel): Float64Array {
  const factors = new Float64Array(mask.length), hasScales = splineScales.length > 0;
  for (let edge = 0; edge < factors.length; edge++) {
    factors[edge] = mask[edge]! * (hasScales ? splineScales[edge]! : 1);
  }
  return factors;
}

function addSymbolicEdges(
  layer: KanLayerModel,
  inputs: Float64Array,
  rows: number,
  sums: Float64Array,
  edges: Float64Array,
): void {
  const { inputDim, outputDim } = layer;
  for (const [edge, form] of layer.symbolic) {
    const i = Math.floor(edge / outputDim), o = edge % outputDim;
    const symbolic = symbolicFunction(form.name);
    for (let row = 0; row < rows; row++) {
      const u = form.inputScale * inputs[row * inputDim + i]! + form.inputShift;
      const phi = form.outputScale * evaluateSymbolic(symbolic, u).value + form.outputShift;
      sums[row * outputDim + o]! += phi;
      if (edges.length > 0) edges[(row * inputDim + i) * outputDim + o] = phi;
    }
  }
}

function backwardSymbolicEdges(
  layer: KanLayerModel,
  inputs: Float64Array,
  sumGradients: Float64Array,
  inputGradients: Float64Array,
  gradient: Float64Array,
): void {
  const { inputDim, outputDim } = layer;
  const rows = sumGradients.length / outputDim;
  const hasInputs = inputGradients.length > 0;
  let at = layerParameterCount(layer) - 4 * layer.symbolic.size;
  for (const [edge, form] of layer.symbolic) {
    const i = Math.floor(edge / outputDim), o = edge % outputDim;
    const symbolic = symbolicFunction(form.name);
    for (let row = 0; row < rows; row++) {
      const upstream = sumGradients[row * outputDim + o]!;
      const x = inputs[row * inputDim + i]!;
      const { value, slope } = evaluateSymbolic(symbolic, form.inputScale * x + form.inputShift);
      const inner = upstream * form.outputScale * slope;
      gradient[at]! += inner * x;
      gradient[at + 1]! += inner;
      gradient[at + 2]! += upstream * value;
      gradient[at + 3]! += upstream;
      if (hasInputs) inputGradients[row * inputDim + i]! += inner * form.inputScale;
    }
    at += 4;
  }
}

/** The nodes of the layer: plain sums, then the product of each group of factors. */
function multiplySums(layer: KanLayerModel, sums: Float64Array, rows: number): Float64Array {
  const { outputDim, products } = layer;
  if (products.length === 0) return sums;
  const plain = outputDim - products.reduce((total, count) => total + count, 0);
  const nodes = new Float64Array(rows * (plain + products.length));
  let at = 0;
  for (let row = 0; row < rows; row++) {
    let from = row * outputDim;
    for (let o = 0; o < plain; o++) nodes[at++] = sums[from++]!;
    for (const count of products) {
      let product = 1;
      for (let factor = 0; factor < count; factor++) product *= sums[from++]!;
      nodes[at++] = product;
    }
  }
  return nodes;
}

/** Gradients with respect to the sums from gradients with respect to the nodes. */
function unmultiply(
  layer: KanLayerModel,
  sums: Float64Array,
  nodeGradients: Float64Array,
  rows: number,
): Float64Array {
  const { outputDim, products } = layer;
  if (products.length === 0) return nodeGradients;
  const plain = outputDim - products.reduce((total, count) => total + count, 0);
  const gradients = new Float64Array(rows * outputDim);
  let node = 0;
  for (let row = 0; row < rows; row++) {
    let at = row * outputDim;
    for (let o = 0; o < plain; o++) gradients[at++] = nodeGradients[node++]!;
    for (const count of products) {
      for (let own = 0; own < count; own++) {
        let others = nodeGradients[node]!;
        for (let factor = 0; factor < count; factor++) {
          if (factor !== own) others *= sums[at + factor]!;
        }
        gradients[at + own] = others;
      }
      at += count;
      node++;
    }
  }
  return gradients;
}
