import type { Basis } from "../bases/basis.ts";
import { createBsplines, gridOf } from "../bases/bspline.ts";
import { uniformGrid } from "../bases/grid.ts";
import { createKanLayerModel, type KanLayerModel, nodeCount } from "../model/layer_model.ts";
import type { KanModel } from "../model/model.ts";
import { requireModel } from "../model/model_checks.ts";
import type { SymbolicEdge } from "../model/symbolic_functions.ts";
import { requireInteger } from "../numeric/checks.ts";
import type { Random } from "../numeric/random.ts";

/** What {@link widenKan} adds. */
export interface WidenOptions {
  /** Index of the layer, not of the last. */
  readonly layer: number;
  /** Number of plain nodes to add; 0 if omitted. */
  readonly sums?: number;
  /** Number of factors, at least 2, of each product node to add; none if omitted. */
  readonly products?: readonly number[];
  /** The source of random numbers for the curves into the new nodes. */
  readonly random: Random;
}

/**
 * The model with more nodes in a hidden layer, computing what it did: curves into the new nodes are
 * random, those out of them are 0 until they are trained.
 *
 * New sums come after the plain ones, new products last.
 *
 * @throws RangeError if there is no such layer, or a number is out of its range.
 *
 * ```ts
 * import { createKanModel, createRandom, evaluateKan, samplesFrom } from "@kanpress/kanpress/kan";
 * import { widenKan } from "@kanpress/kanpress/kan/growing";
 * import assert from "node:assert";
 *
 * const model = createKanModel({ widths: [2, 3, 1], random: createRandom(0) });
 * const wide = widenKan(model, { layer: 0, sums: 2, products: [2], random: createRandom(1) });
 * assert.equal(wide.layers[1]!.inputDim, 6);
 * const x = samplesFrom([[0.1, 0.2]]);
 * assert.deepEqual(evaluateKan(wide, x), evaluateKan(model, x));
 * ```
 */
export function widenKan(model: KanModel, options: WidenOptions): KanModel {
  const { layer: at, sums = 0, products = [], random } = options;
  requireModel(model);
  requireInteger("layer", at, 0, model.layers.length - 2);
  requireInteger("sums", sums, 0);
  products.forEach((count) => requireInteger("products", count, 2));
  const layer = model.layers[at]!, next = model.layers[at + 1]!;
  const factors = products.reduce((sum, count) => sum + count, 0);
  if (sums + factors === 0) return model;
  const added = createKanLayerModel({
    inputDim: layer.inputDim,
    outputDim: sums + factors,
    basis: layer.bases,
    base: layer.base,
    splineScale: layer.splineScales.length > 0,
    random,
  });
  const oldFactors = layer.products.reduce((sum, count) => sum + count, 0);
  const plain = layer.outputDim - oldFactors;
  // Sums of the new layer: old plain, new plain, old factors, new factors.
  const range = (from: number, count: number) => Array.from({ length: count }, (_, o) => from + o);
  const order = [
    ...range(0, plain).map((o) => [layer, o] as const),
    ...range(0, sums).map((o) => [added, o] as const),
    ...range(plain, oldFactors).map((o) => [layer, o] as const),
    ...range(sums, factors).map((o) => [added, o] as const),
  ];
  const wide = joinOutputs(order, [...layer.products, ...products]);
  const oldNodes = nodeCount(layer);
  const places = [
    ...range(0, plain),
    ...range(0, sums).map(() => undefined),
    ...range(plain, oldNodes - plain),
    ...products.map(() => undefined),
  ];
  const layers = model.layers.with(at, wide).with(at + 1, insertInputs(next, places));
  return { ...model, layers };
}

/** A layer whose sums are taken from layers with the same inputs. */
function joinOutputs(
  order: readonly (readonly [KanLayerModel, number])[],
  products: readonly number[],
): KanLayerModel {
  const [[first]] = order as [readonly [KanLayerModel, number]];
  const { inputDim } = first, { size } = first.bases[0]!, outputDim = order.length;
  const pick = (name: "baseWeights" | "splineScales") =>
    Float64Array.from({ length: first[name].length === 0 ? 0 : inputDim * outputDim }, (_, at) => {
      const [from, o] = order[at % outputDim]!;
      return from[name][Math.floor(at / outputDim) * from.outputDim + o]!;
    });
  const coefficients = Float64Array.from({ length: inputDim * size * outputDim }, (_, at) => {
    const [from, o] = order[at % outputDim]!;
    return from.coefficients[Math.floor(at / outputDim) * from.outputDim + o]!;
  });
  const mask = new Uint8Array(inputDim * outputDim);
  const symbolic = new Map<number, SymbolicEdge>();
  mask.forEach((_, edge) => {
    const [from, o] = order[edge % outputDim]!;
    const place = Math.floor(edge / outputDim) * from.outputDim + o;
    mask[edge] = from.mask[place]!;
    const form = from.symbolic.get(place);
    if (form !== undefined) symbolic.set(edge, form);
  });
  return {
    ...first,
    outputDim,
    products,
    coefficients,
    baseWeights: pick("baseWeights"),
    splineScales: pick("splineScales"),
    mask,
    symbolic,
  };
}

/** A layer whose inputs are those named by their old place, or new ones that give 0. */
function insertInputs(
  layer: KanLayerModel,
  places: readonly (number | undefined)[],
): KanLayerModel {
  const { outputDim } = layer, { size } = layer.bases[0]!;
  const take = (values: Float64Array, width: number, fresh: number) =>
    Float64Array.from({ length: values.length === 0 ? 0 : places.length * width }, (_, at) => {
      const place = places[Math.floor(at / width)];
      return place === undefined ? fresh : values[place * width + at % width]!;
    });
  const symbolic = new Map<number, SymbolicEdge>();
  const mask = Uint8Array.from({ length: places.length * outputDim }, (_, edge) => {
    const place = places[Math.floor(edge / outputDim)];
    if (place === undefined) return 1;
    const old = place * outputDim + edge % outputDim, form = layer.symbolic.get(old);
    if (form !== undefined) symbolic.set(edge, form);
    return layer.mask[old]!;
  });
  const bases = layer.bases.length === 1 ? layer.bases : places.map((place) => {
    return place === undefined ? freshBasis(layer.bases[0]!) : layer.bases[place]!;
  });
  return {
    ...layer,
    inputDim: places.length,
    bases,
    coefficients: take(layer.coefficients, size * outputDim, 0),
    baseWeights: take(layer.baseWeights, outputDim, 0),
    splineScales: take(layer.splineScales, outputDim, 1),
    mask,
    symbolic,
  };
}

/** The basis for an input of which nothing is known yet. */
function freshBasis(like: Basis): Basis {
  const grid = gridOf(like);
  if (grid === undefined) return like;
  const { intervals, order } = grid;
  return createBsplines(uniformGrid({ intervals, order }), like.extrapolation);
}
