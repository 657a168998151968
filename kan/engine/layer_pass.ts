import { evaluatePoints } from "../bases/evaluate_basis.ts";
import type { BaseFunction, KanLayerModel } from "../model/layer_model.ts";
import { layerParameterCount } from "../model/model.ts";
import { evaluateSymbolic, symbolicFunction } from "../model/symbolic_functions.ts";

/** What the forward pass of a layer leaves for the backward pass. */
export interface LayerTrace {
  /** Inputs [rows, inputDim]. */
  readonly inputs: Float64Array;
  /** Index of the first function that is not 0, [rows, inputDim]. */
  readonly first: Int32Array;
  /** Values of the functions from there on, [rows, inputDim, support]. */
  readonly values: Float64Array;
  /** Their slopes, [rows, inputDim, support]. */
  readonly slopes: Float64Array;
  /** Sums before multiplication, [rows, outputDim]. */
  readonly sums: Float64Array;
  /** Outputs of the edges [rows, inputDim, outputDim]; empty unless asked for. */
  readonly edges: Float64Array;
  /** Nodes of the layer, [rows, nodeCount]. */
  readonly nodes: Float64Array;
}

/** The value and the slope of the base function at x. */
export function evaluateBase(base: BaseFunction, x: number): { value: number; slope: number } {
  switch (base) {
    case "silu": {
      const gate = 1 / (1 + Math.exp(-x));
      return { value: x * gate, slope: gate * (1 + x * (1 - gate)) };
    }
    case "identity":
      return { value: x, slope: 1 };
    case "none":
      return { value: 0, slope: 0 };
  }
}

/** The forward pass of `rows` samples in float64, each point touching `support` coefficients. */
export function forwardLayer(
  layer: KanLayerModel,
  inputs: Float64Array,
  rows: number,
  wants: { edges: boolean; slopes: boolean },
): LayerTrace {
  const { inputDim, outputDim, coefficients } = layer;
  const size = layer.bases[0]!.size, support = layer.bases[0]!.support;
  const { first, values, slopes } = evaluatePoints(layer.bases, inputs, wants.slopes);
  const sums = new Float64Array(rows * outputDim);
  const edges = new Float64Array(wants.edges ? rows * inputDim * outputDim : 0);
  const factors = splineFactors(layer);
  const curve = new Float64Array(outputDim);
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < inputDim; i++) {
      const point = row * inputDim + i, x = inputs[point]!;
      const start = first[point]!;
      curve.fill(0);
      for (let j = 0, at = (i * size + start) * outputDim; j < support; j++, at += outputDim) {
        const value = values[point * support + j]!;
        if (value === 0) continue;
        for (let o = 0; o < outputDim; o++) curve[o]! += value * coefficients[at + o]!;
      }
      const base = evaluateBase(layer.base, x).value;
      for (let o = 0; o < outputDim; o++) {
        const edge = i * outputDim + o;
        let phi = factors[edge]! * curve[o]!;
        if (layer.base !== "none") phi += layer.mask[edge]! * layer.baseWeights[edge]! * base;
        sums[row * outputDim + o]! += phi;
        if (wants.edges) edges[point * outputDim + o] = phi;
      }
    }
  }
  addSymbolicEdges(layer, inputs, rows, sums, edges);
  return { inputs, first, values, slopes, sums, edges, nodes: multiplySums(layer, sums, rows) };
}

/**
 * The backward pass: adds the gradient with respect to the parameters of the layer, in their order,
 * to `gradient` and returns the gradient with respect to the inputs, [rows, inputDim].
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
  const { inputDim, outputDim, coefficients } = layer;
  const size = layer.bases[0]!.size, support = layer.bases[0]!.support;
  const rows = trace.sums.length / outputDim;
  const sumGradients = unmultiply(layer, trace.sums, nodeGradients, rows);
  const inputGradients = new Float64Array(rows * inputDim);
  const baseAt = coefficients.length, scaleAt = baseAt + layer.baseWeights.length;
  const hasScales = layer.splineScales.length > 0;
  const factors = splineFactors(layer);
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < inputDim; i++) {
      const point = row * inputDim + i;
      const base = evaluateBase(layer.base, trace.inputs[point]!);
      let inputGradient = 0;
      for (let o = 0; o < outputDim; o++) {
        const edge = i * outputDim + o;
        if (layer.mask[edge] === 0) continue;
        let upstream = sumGradients[row * outputDim + o]!;
        if (edgeGradients !== undefined) upstream += edgeGradients[point * outputDim + o]!;
        if (upstream === 0) continue;
        let curve = 0, slope = 0;
        let at = (i * size + trace.first[point]!) * outputDim + o;
        for (let j = 0, local = point * support; j < support; j++, local++, at += outputDim) {
          curve += trace.values[local]! * coefficients[at]!;
          slope += trace.slopes[local]! * coefficients[at]!;
          gradient[at]! += upstream * factors[edge]! * trace.values[local]!;
        }
        if (hasScales) gradient[scaleAt + edge]! += upstream * curve;
        inputGradient += upstream * factors[edge]! * slope;
        if (layer.base === "none") continue;
        gradient[baseAt + edge]! += upstream * base.value;
        inputGradient += upstream * layer.baseWeights[edge]! * base.slope;
      }
      inputGradients[point] = inputGradient;
    }
  }
  backwardSymbolicEdges(layer, trace.inputs, sumGradients, inputGradients, gradient);
  return inputGradients;
}

/** mask * splineScale of every edge. */
function splineFactors(layer: KanLayerModel): Float64Array {
  return Float64Array.from(layer.mask, (mask, edge) => mask * (layer.splineScales[edge] ?? 1));
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
      inputGradients[row * inputDim + i]! += inner * form.inputScale;
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
