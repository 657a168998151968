import { evaluateBasis } from "../bases/evaluate_basis.ts";
import type { BaseFunction } from "../bases/base_function.ts";
import { type KanLayerModel, nodeCount } from "../model/layer_model.ts";
import { type KanModel, layerParameterCount, parameterCount } from "../model/model.ts";
import { requireModelAndInputs } from "../model/model_checks.ts";
import { toRaw, toScaled } from "../model/scaling.ts";
import { type SymbolicFunction, symbolicFunction } from "../model/symbolic_functions.ts";
import { requireInteger } from "../numeric/checks.ts";
import type { Samples } from "../numeric/least_squares.ts";

/** A value and its first and second derivatives along some directions, for every row. */
export interface Derivatives {
  /** [rows, columns]. */
  readonly values: Float64Array;
  /** One [rows, columns] for each direction. */
  readonly first: readonly Float64Array[];
  /** One [rows, columns] for each direction. */
  readonly second: readonly Float64Array[];
}

/** What the forward pass of one layer leaves for the backward pass. */
interface LayerDerivatives {
  readonly inputs: Derivatives;
  /** phi and its first three derivatives, each [rows, inputDim, outputDim]. */
  readonly edges: readonly Float64Array[];
  readonly sums: Derivatives;
  readonly nodes: Derivatives;
}

/** All layers of a forward pass. */
export interface DerivativeTrace {
  readonly layers: readonly LayerDerivatives[];
  /** The outputs of the model, raw. */
  readonly outputs: Derivatives;
}

const ORDERS = [0, 1, 2, 3] as const;

/**
 * The outputs of a network and their first and second derivatives with respect to its inputs, exact,
 * in float64.
 *
 * @param inputs [samples, inputs of the model].
 * @param directions Vectors of as many numbers as inputs; the derivatives are those along them. If
 * absent, one for each input, which gives partial derivatives. The mixed one of x and y is half of the
 * second along [1, 1] less both along [1, 0] and [0, 1].
 * @throws RangeError if the number of inputs or of a direction is wrong.
 *
 * ```ts
 * import { createKanModel, createRandom, samplesFrom } from "@kanpress/kanpress/kan";
 * import { differentiateKan } from "@kanpress/kanpress/kan/optimizers";
 * import { fixSymbolic } from "@kanpress/kanpress/kan/symbolic";
 * import assert from "node:assert";
 *
 * const model = createKanModel({ widths: [1, 1], random: createRandom(0) });
 * const form = { name: "x^3", inputScale: 1, inputShift: 0, outputScale: 1, outputShift: 0 };
 * const x = samplesFrom([[2]]);
 * const cube = fixSymbolic(model, x, { layer: 0, input: 0, output: 0 }, form);
 * const { values, first, second } = differentiateKan(cube, x);
 * assert.ok(values[0] === 8 && first[0]![0] === 12 && Math.abs(second[0]![0]! - 12) < 1e-8);
 * ```
 */
export function differentiateKan(
  model: KanModel,
  inputs: Samples,
  directions?: readonly (readonly number[])[],
): Derivatives {
  requireModelAndInputs(model, inputs);
  return traceDerivatives(model, inputs, directionsOf(model, directions)).outputs;
}

/** The given directions, or one for each input. @throws RangeError if one has a wrong length. */
export function directionsOf(
  model: KanModel,
  directions?: readonly (readonly number[])[],
): readonly (readonly number[])[] {
  const { inputDim } = model.layers[0]!;
  if (directions === undefined) {
    return Array.from({ length: inputDim }, (_, d) => {
      return Array.from({ length: inputDim }, (_, i) => i === d ? 1 : 0);
    });
  }
  for (const { length } of directions) {
    requireInteger("the number of values of a direction", length, inputDim, inputDim);
  }
  return directions;
}

/** The forward pass of {@link differentiateKan}. */
export function traceDerivatives(
  model: KanModel,
  inputs: Samples,
  directions: readonly (readonly number[])[],
): DerivativeTrace {
  const { scaling } = model, { rows, columns } = inputs;
  let nodes: Derivatives = {
    values: toScaled(inputs.data, scaling?.inputs),
    first: directions.map((direction) =>
      Float64Array.from({ length: rows * columns }, (_, at) => {
        const i = at % columns;
        return direction[i]! / (scaling?.inputs[i]?.spread ?? 1);
      })
    ),
    second: directions.map(() => new Float64Array(rows * columns)),
  };
  const layers = model.layers.map((layer) => {
    const trace = forward(layer, nodes, rows);
    nodes = trace.nodes;
    return trace;
  });
  return { layers, outputs: rawOutputs(nodes, model) };
}

function rawOutputs(nodes: Derivatives, { scaling }: KanModel): Derivatives {
  if (scaling === undefined) return nodes;
  const spreads = scaling.outputs.map(({ spread }) => ({ center: 0, spread }));
  const stretch = (values: Float64Array) => toRaw(values, spreads);
  return {
    values: toRaw(nodes.values, scaling.outputs),
    first: nodes.first.map(stretch),
    second: nodes.second.map(stretch),
  };
}

function forward(layer: KanLayerModel, inputs: Derivatives, rows: number): LayerDerivatives {
  const { inputDim, outputDim } = layer;
  const edges = edgeDerivatives(layer, inputs.values, rows);
  const [phi, phi1, phi2] = edges as [Float64Array, Float64Array, Float64Array];
  const addUp = (of: (edge: number, point: number) => number) => {
    const sums = new Float64Array(rows * outputDim);
    for (let point = 0, edge = 0; point < rows * inputDim; point++) {
      const start = Math.floor(point / inputDim) * outputDim;
      for (let o = 0; o < outputDim; o++, edge++) sums[start + o]! += of(edge, point);
    }
    return sums;
  };
  const sums = {
    values: addUp((edge) => phi[edge]!),
    first: inputs.first.map((t) => addUp((edge, point) => phi1[edge]! * t[point]!)),
    second: inputs.second.map((s, d) => {
      const t = inputs.first[d]!;
      return addUp((edge, point) => phi2[edge]! * t[point]! ** 2 + phi1[edge]! * s[point]!);
    }),
  };
  return { inputs, edges, sums, nodes: multiply(layer, sums, rows) };
}

/** phi and its first three derivatives of every edge, each [rows, inputDim, outputDim]. */
function edgeDerivatives(layer: KanLayerModel, x: Float64Array, rows: number): Float64Array[] {
  const { inputDim, outputDim, coefficients } = layer;
  const { size, support } = layer.bases[0]!;
  const local = new Float64Array(support);
  const edges = ORDERS.map(() => new Float64Array(rows * inputDim * outputDim));
  for (let point = 0; point < rows * inputDim; point++) {
    const i = point % inputDim, basis = layer.bases[layer.bases.length === 1 ? 0 : i]!;
    const base = baseDerivatives(layer.base, x[point]!);
    for (const order of ORDERS) {
      const first = evaluateBasis(basis, x[point]!, order, local);
      for (let o = 0; o < outputDim; o++) {
        const edge = i * outputDim + o;
        if (layer.mask[edge] === 0) continue;
        let curve = 0, at = (i * size + first) * outputDim + o;
        for (let j = 0; j < support; j++, at += outputDim) curve += local[j]! * coefficients[at]!;
        const weight = layer.baseWeights[edge] ?? 0, scale = layer.splineScales[edge] ?? 1;
        edges[order]![point * outputDim + o] = scale * curve + weight * base[order]!;
      }
    }
  }
  for (
    const [edge, { name, inputScale: a, inputShift, outputScale: c, outputShift }] of layer.symbolic
  ) {
    const i = Math.floor(edge / outputDim), o = edge % outputDim, f = symbolicFunction(name);
    for (let row = 0; row < rows; row++) {
      const point = row * inputDim + i;
      symbolicDerivatives(f, a * x[point]! + inputShift).forEach((value, order) => {
        edges[order]![point * outputDim + o] = c * a ** order * value +
          (order === 0 ? outputShift : 0);
      });
    }
  }
  return edges;
}

/** The base function and its first three derivatives. */
function baseDerivatives(base: BaseFunction, x: number): readonly [number, number, number, number] {
  if (base === "none") return [0, 0, 0, 0];
  if (base === "identity") return [x, 1, 0, 0];
  const gate = 1 / (1 + Math.exp(-x)), slope = gate * (1 - gate), turn = 1 - 2 * gate;
  return [
    x * gate,
    gate + x * slope,
    slope * (2 + x * turn),
    slope * (turn * (3 + x * turn) - 2 * x * slope),
  ];
}

/** f and its first three derivatives; the higher two by differences of slopes, to 9 and 6 digits. */
function symbolicDerivatives(f: SymbolicFunction, u: number): number[] {
  const [start, end] = f.domain;
  if (u < start || u > end) return [f.value(Math.min(Math.max(u, start), end)), 0, 0, 0];
  const room = Math.min(u - start, end - u);
  const size = Math.max(1, Math.abs(u)), step = 1e-3 * size;
  if (room < step) return [f.value(u), f.slope(u), 0, 0];
  const [far2, far, near, back, back2] = [2, 1, 0, -1, -2].map((k) => f.slope(u + k * step / 2));
  const second = (8 * (far! - back!) - (far2! - back2!)) / (6 * step);
  const third = (far! - 2 * near! + back!) / (step / 2) ** 2;
  return [f.value(u), near!, second, third];
}

/** The nodes of a layer: plain sums, then the product of each group. */
function multiply(layer: KanLayerModel, sums: Derivatives, rows: number): Derivatives {
  if (layer.products.length === 0) return sums;
  const nodes = nodeCount(layer);
  const make = () => new Float64Array(rows * nodes);
  const result = { values: make(), first: sums.first.map(make), second: sums.second.map(make) };
  forEachNode(layer, rows, (node, start, count) => {
    for (let d = -1; d < sums.first.length; d++) {
      let [v, t, s] = [1, 0, 0];
      for (let at = start; at < start + count; at++) {
        const w = sums.values[at]!, w1 = sums.first[d]?.[at] ?? 0, w2 = sums.second[d]?.[at] ?? 0;
        [v, t, s] = [v * w, t * w + v * w1, s * w + 2 * t * w1 + v * w2];
      }
      if (d < 0) result.values[node] = v;
      else [result.first[d]![node], result.second[d]![node]] = [t, s];
    }
  });
  return result;
}

/** Calls `use` with every node of every row, its first sum, and how many sums it multiplies. */
function forEachNode(
  { outputDim, products }: KanLayerModel,
  rows: number,
  use: (node: number, start: number, count: number) => void,
): void {
  const plain = outputDim - products.reduce((total, count) => total + count, 0);
  const counts = [...Array<number>(plain).fill(1), ...products];
  let node = 0;
  for (let row = 0; row < rows; row++) {
    let start = row * outputDim;
    for (const count of counts) {
      use(node++, start, count);
      start += count;
    }
  }
}

/** The gradient with respect to the sums from that with respect to the nodes. */
function unmultiply(
  layer: KanLayerModel,
  sums: Derivatives,
  upstream: Derivatives,
  rows: number,
): Derivatives {
  if (layer.products.length === 0) return upstream;
  const make = () => new Float64Array(sums.values.length);
  const result = { values: make(), first: sums.first.map(make), second: sums.second.map(make) };
  forEachNode(layer, rows, (node, start, count) => {
    for (let own = start; own < start + count; own++) {
      result.values[own] = upstream.values[node]!;
      for (let other = start; other < start + count; other++) {
        if (other !== own) result.values[own]! *= sums.values[other]!;
      }
      sums.first.forEach((first, d) => {
        // The product of the others and its derivatives along the direction.
        let [v, t, s] = [1, 0, 0];
        for (let at = start; at < start + count; at++) {
          if (at === own) continue;
          const w = sums.values[at]!, w1 = first[at]!, w2 = sums.second[d]![at]!;
          [v, t, s] = [v * w, t * w + v * w1, s * w + 2 * t * w1 + v * w2];
        }
        const up1 = upstream.first[d]![node]!, up2 = upstream.second[d]![node]!;
        result.values[own]! += up1 * t + up2 * s;
        result.first[d]![own] = up1 * v + 2 * up2 * t;
        result.second[d]![own] = up2 * v;
      });
    }
  });
  return result;
}

/**
 * The gradient with respect to the parameters of the model of a number whose derivatives with respect
 * to the traced outputs are `upstream`.
 */
export function backwardDerivatives(
  model: KanModel,
  trace: DerivativeTrace,
  upstream: Derivatives,
): Float64Array {
  const gradient = new Float64Array(parameterCount(model));
  let bars = upstream, end = gradient.length;
  const spreads = model.scaling?.outputs.map(({ spread }) => ({ center: 0, spread }));
  if (spreads !== undefined) {
    bars = {
      values: toRaw(bars.values, spreads),
      first: bars.first.map((bar) => toRaw(bar, spreads)),
      second: bars.second.map((bar) => toRaw(bar, spreads)),
    };
  }
  for (let l = model.layers.length - 1; l >= 0; l--) {
    const layer = model.layers[l]!, start = end - layerParameterCount(layer);
    bars = backward(layer, trace.layers[l]!, bars, gradient.subarray(start, end));
    end = start;
  }
  return gradient;
}

function backward(
  layer: KanLayerModel,
  { inputs, edges, sums }: LayerDerivatives,
  upstream: Derivatives,
  gradient: Float64Array,
): Derivatives {
  const { inputDim, outputDim } = layer, rows = inputs.values.length / inputDim;
  const bars = unmultiply(layer, sums, upstream, rows);
  const [, phi1, phi2, phi3] = edges as [Float64Array, Float64Array, Float64Array, Float64Array];
  const make = () => new Float64Array(inputs.values.length);
  const result = { values: make(), first: inputs.first.map(make), second: inputs.second.map(make) };
  // What phi, phi' and phi'' of every edge are worth.
  const worth = [0, 1, 2].map(() => new Float64Array(phi1.length));
  for (let point = 0, edge = 0; point < rows * inputDim; point++) {
    const start = Math.floor(point / inputDim) * outputDim;
    for (let o = 0; o < outputDim; o++, edge++) {
      const sum = start + o;
      let first = 0, second = 0;
      for (let d = 0; d < inputs.first.length; d++) {
        const t = inputs.first[d]![point]!, s = inputs.second[d]![point]!;
        const up1 = bars.first[d]![sum]!, up2 = bars.second[d]![sum]!;
        first += up1 * t + up2 * s;
        second += up2 * t * t;
        result.first[d]![point]! += up1 * phi1[edge]! + 2 * up2 * phi2[edge]! * t;
        result.second[d]![point]! += up2 * phi1[edge]!;
      }
      const value = bars.values[sum]!;
      result.values[point]! += value * phi1[edge]! + first * phi2[edge]! + second * phi3[edge]!;
      worth[0]![edge] = value;
      worth[1]![edge] = first;
      worth[2]![edge] = second;
    }
  }
  addParameterGradients(layer, inputs.values, worth, gradient);
  return result;
}

function addParameterGradients(
  layer: KanLayerModel,
  x: Float64Array,
  worth: readonly Float64Array[],
  gradient: Float64Array,
): void {
  const { inputDim, outputDim, coefficients } = layer;
  const { size, support } = layer.bases[0]!;
  const local = new Float64Array(support);
  const baseAt = coefficients.length, scaleAt = baseAt + layer.baseWeights.length;
  for (let point = 0; point < x.length; point++) {
    const i = point % inputDim, basis = layer.bases[layer.bases.length === 1 ? 0 : i]!;
    const base = baseDerivatives(layer.base, x[point]!);
    for (const order of [0, 1, 2] as const) {
      const first = evaluateBasis(basis, x[point]!, order, local);
      for (let o = 0; o < outputDim; o++) {
        const edge = i * outputDim + o, value = worth[order]![point * outputDim + o]!;
        if (layer.mask[edge] === 0 || value === 0) continue;
        const scale = layer.splineScales[edge] ?? 1;
        let curve = 0, at = (i * size + first) * outputDim + o;
        for (let j = 0; j < support; j++, at += outputDim) {
          gradient[at]! += value * scale * local[j]!;
          curve += local[j]! * coefficients[at]!;
        }
        if (layer.baseWeights.length > 0) gradient[baseAt + edge]! += value * base[order]!;
        if (layer.splineScales.length > 0) gradient[scaleAt + edge]! += value * curve;
      }
    }
  }
  let at = scaleAt + layer.splineScales.length;
  for (const [edge, { name, inputScale: a, inputShift, outputScale: c }] of layer.symbolic) {
    const i = Math.floor(edge / outputDim), o = edge % outputDim, symbolic = symbolicFunction(name);
    for (let point = i; point < x.length; point += inputDim) {
      const u = x[point]!;
      const [f, f1, f2, f3] = symbolicDerivatives(symbolic, a * u + inputShift) as [
        number,
        number,
        number,
        number,
      ];
      const [g0, g1, g2] = worth.map((values) => values[point * outputDim + o]!) as [
        number,
        number,
        number,
      ];
      gradient[at]! += g0 * c * f1 * u + g1 * c * (f1 + a * f2 * u) +
        g2 * c * (2 * a * f2 + a * a * f3 * u);
      gradient[at + 1]! += c * (g0 * f1 + g1 * a * f2 + g2 * a * a * f3);
      gradient[at + 2]! += g0 * f + g1 * a * f1 + g2 * a * a * f2;
      gradient[at + 3]! += g0;
    }
    at += 4;
  }
}
