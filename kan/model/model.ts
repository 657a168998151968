import { requireFinite, requireInteger, requireOptionNames } from "../numeric/checks.ts";
import type { BaseFunction } from "../bases/base_function.ts";
import { createBsplines } from "../bases/bspline.ts";
import type { Basis, Extrapolation } from "../bases/basis.ts";
import { uniformGrid, type UniformGridOptions } from "../bases/grid.ts";
import {
  createKanLayerModel,
  type Initialization,
  type KanLayerModel,
  nodeCount,
} from "./layer_model.ts";
import type { Random } from "../numeric/random.ts";
import type { Scaling } from "./scaling.ts";

/**
 * A whole network as one plain value in float64. Every other module takes such values and returns
 * new ones; none changes the arrays of the value that it is given.
 */
export interface KanModel {
  /** The layers, first to last; each has as many inputs as the one before has nodes. */
  readonly layers: readonly KanLayerModel[];
  /** The raw columns that it takes and gives, if its layers work with scaled ones. */
  readonly scaling?: Scaling;
}

/** Nodes of a layer: a number of sums, or sums and multiplication nodes. */
export type LayerWidth = number | {
  /** Number of plain nodes. */
  readonly sums: number;
  /** Number of factors of each multiplication node; none if omitted. */
  readonly products?: readonly number[];
};

/** What {@link createKanModel} needs. */
export interface KanModelOptions {
  /** Number of inputs, then the nodes of each layer, e.g. [2, 5, 1]. */
  readonly widths: readonly [number, ...LayerWidth[]] | readonly number[];
  /** The B-spline grid of every layer: 3 intervals, order 3, [-1, 1] if omitted. */
  readonly grid?: Partial<UniformGridOptions>;
  /** What splines do outside their grid; `"linear"` if omitted. */
  readonly extrapolation?: Extrapolation;
  /** Another basis for every layer, instead of B-splines on `grid`. */
  readonly basis?: Basis;
  /** Base function; `"silu"` if omitted. */
  readonly base?: BaseFunction;
  /** Whether each edge has a trained factor of its spline; true if omitted. */
  readonly splineScale?: boolean;
  /** How to draw the weights; `"pykan"` if omitted. */
  readonly initialization?: Initialization;
  /** Size of the initial wiggle of the splines; see {@link KanLayerOptions}. */
  readonly noiseScale?: number;
  /** The source of random numbers. */
  readonly random: Random;
}

const NAMES: Readonly<Record<keyof KanModelOptions, true>> = {
  widths: true,
  grid: true,
  extrapolation: true,
  basis: true,
  base: true,
  splineScale: true,
  initialization: true,
  noiseScale: true,
  random: true,
};

/**
 * A new network with random weights.
 *
 * @throws RangeError if an option is out of its range.
 *
 * ```ts
 * import { createKanModel, createRandom, parameterCount } from "@kanpress/kanpress/kan";
 * import assert from "node:assert";
 *
 * const model = createKanModel({
 *   widths: [784, 64, 10],
 *   grid: { intervals: 5 },
 *   initialization: "efficient-kan",
 *   random: createRandom(0),
 * });
 * assert.equal(parameterCount(model), 508_160); // as efficient-kan counts them
 * ```
 */
export function createKanModel(options: KanModelOptions): KanModel {
  requireOptionNames("createKanModel", options, NAMES);
  const { widths, grid = {}, extrapolation, basis, ...shared } = options;
  requireOptionNames("grid", grid, { intervals: true, order: true, range: true });
  if (!(widths?.length >= 2)) {
    throw new RangeError("widths needs the inputs and at least one layer");
  }
  const used = basis ?? createBsplines(uniformGrid({ intervals: 3, ...grid }), extrapolation);
  let inputDim = widths[0] as number;
  requireInteger("widths", inputDim, 1);
  const layers = (widths.slice(1) as readonly LayerWidth[]).map((width) => {
    if (typeof width !== "number") {
      requireOptionNames("a layer of widths", width, { sums: true, products: true });
    }
    const { sums, products = [] } = typeof width === "number" ? { sums: width } : width;
    requireInteger("widths", sums, typeof width === "number" ? 1 : 0);
    const outputDim = sums + products.reduce((sum, count) => sum + count, 0);
    const layer = createKanLayerModel({ inputDim, outputDim, products, basis: used, ...shared });
    inputDim = nodeCount(layer);
    return layer;
  });
  return { layers };
}

/** The trained arrays of a layer, in the order of the parameter vector. */
const trainedArrays = ["coefficients", "baseWeights", "splineScales"] as const;

/**
 * The number of trained parameters, those of removed edges included: coefficients, base weights,
 * spline scales, and 4 for each symbolic edge.
 *
 * ```ts
 * import { createKanModel, createRandom, parameterCount } from "@kanpress/kanpress/kan";
 * import assert from "node:assert";
 *
 * const model = createKanModel({ widths: [2, 1], random: createRandom(0) });
 * assert.equal(parameterCount(model), 2 * (6 + 1 + 1));
 * ```
 */
export function parameterCount(model: KanModel): number {
  return model.layers.reduce((sum, layer) => sum + layerParameterCount(layer), 0);
}

/** {@link parameterCount} of one layer. */
export function layerParameterCount(layer: KanLayerModel): number {
  return trainedArrays.reduce((sum, name) => sum + layer[name].length, 4 * layer.symbolic.size);
}

/**
 * All trained parameters as one new vector: layer by layer coefficients, base weights, spline
 * scales, then inputScale, inputShift, outputScale, outputShift of each symbolic edge.
 *
 * ```ts
 * import { createKanModel, createRandom } from "@kanpress/kanpress/kan";
 * import { parametersOf, withParameters } from "@kanpress/kanpress/kan/optimizers";
 * import assert from "node:assert";
 *
 * const model = createKanModel({ widths: [2, 1], random: createRandom(0) });
 * assert.deepEqual(withParameters(model, parametersOf(model)), model);
 * ```
 */
export function parametersOf(model: KanModel): Float64Array {
  const parameters = new Float64Array(parameterCount(model));
  let at = 0;
  for (const layer of model.layers) {
    for (const name of trainedArrays) {
      parameters.set(layer[name], at);
      at += layer[name].length;
    }
    for (const edge of layer.symbolic.values()) {
      parameters.set([edge.inputScale, edge.inputShift, edge.outputScale, edge.outputShift], at);
      at += 4;
    }
  }
  return parameters;
}

/**
 * `model` with its trained parameters replaced by a copy of `parameters`, in the order of
 * {@link parametersOf}.
 *
 * @throws RangeError if their number is wrong or one is not finite.
 *
 * ```ts
 * import { createKanModel, createRandom } from "@kanpress/kanpress/kan";
 * import { parametersOf, withParameters } from "@kanpress/kanpress/kan/optimizers";
 * import assert from "node:assert";
 *
 * const model = createKanModel({ widths: [2, 1], random: createRandom(0) });
 * const zero = withParameters(model, parametersOf(model).fill(0));
 * assert.ok(zero.layers[0]!.baseWeights.every((weight) => weight === 0));
 * ```
 */
export function withParameters(model: KanModel, parameters: Float64Array): KanModel {
  requireFinite("parameters", parameters);
  return replaceParameters(model, parameters);
}

/** {@link withParameters} of numbers that need not be finite, such as a step that overflows. */
export function replaceParameters(model: KanModel, parameters: Float64Array): KanModel {
  const count = parameterCount(model);
  if (parameters.length !== count) {
    throw new RangeError(`the model has ${count} parameters, got ${parameters.length}`);
  }
  let at = 0;
  const take = (length: number) => parameters.slice(at, at += length);
  const layers = model.layers.map((layer) => {
    const [coefficients, baseWeights, splineScales] = trainedArrays
      .map((name) => take(layer[name].length)) as [Float64Array, Float64Array, Float64Array];
    const symbolic = new Map(
      [...layer.symbolic].map(([edge, { name }]) => {
        const [a, b, c, d] = take(4) as unknown as [number, number, number, number];
        return [edge, { name, inputScale: a, inputShift: b, outputScale: c, outputShift: d }];
      }),
    );
    return { ...layer, coefficients, baseWeights, splineScales, symbolic };
  });
  return { ...model, layers };
}
