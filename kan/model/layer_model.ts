import { requireInteger, requireNumber, requireOneOf, requireProducts } from "../numeric/checks.ts";
import type { BaseFunction } from "../bases/base_function.ts";
import type { Basis } from "../bases/basis.ts";
import { evaluateBasis } from "../bases/evaluate_basis.ts";
import { createBsplines } from "../bases/bspline.ts";
import type { Grid } from "../bases/grid.ts";
import { leastSquares, type Samples } from "../numeric/least_squares.ts";
import type { Random } from "../numeric/random.ts";
import type { SymbolicEdge } from "./symbolic_functions.ts";

/** The name of a published way to draw the first weights of a layer. */
export type Initialization = "pykan" | "efficient-kan" | "fastkan" | "chebykan" | "zero";

const INITIALIZATIONS = ["pykan", "efficient-kan", "fastkan", "chebykan", "zero"];

/**
 * One layer as a plain value in float64. Edge (i, o) computes
 * phi(x) = mask [ baseWeight b(x) + splineScale sum_j coefficient_j B_j(x) ], or its symbolic form
 * where it has one, and sum o adds up its edges. The last sums are multiplied in groups; the nodes
 * of the layer are the other sums, then the products (Liu et al. 2024, arXiv:2408.10205).
 */
export interface KanLayerModel {
  /** Number of inputs. */
  readonly inputDim: number;
  /** Number of sums; of outputs too, if nothing is multiplied. */
  readonly outputDim: number;
  /** Number of factors of each multiplication node; empty if there are none. */
  readonly products: readonly number[];
  /** One basis for all inputs, or one for each input. */
  readonly bases: readonly Basis[];
  /** The base function b. */
  readonly base: BaseFunction;
  /** Spline coefficients [inputDim, basis size, outputDim]. */
  readonly coefficients: Float64Array;
  /** Base weights [inputDim, outputDim]; empty if `base` is `"none"`. */
  readonly baseWeights: Float64Array;
  /** Trained factors of the splines [inputDim, outputDim]; empty if there are none. */
  readonly splineScales: Float64Array;
  /** 1 for an edge with a spline; 0 for a removed or symbolic one, [inputDim, outputDim]. */
  readonly mask: Uint8Array;
  /** The edges in closed form, by i * outputDim + o, in ascending order. */
  readonly symbolic: ReadonlyMap<number, SymbolicEdge>;
}

/** What {@link createKanLayerModel} needs. */
export interface KanLayerOptions {
  /** Number of inputs, at least 1. */
  readonly inputDim: number;
  /** Number of sums, at least 1. */
  readonly outputDim: number;
  /** Number of factors, at least 2, of each multiplication node; none if omitted. */
  readonly products?: readonly number[];
  /** The spline grid shared by all inputs; or give `basis`. */
  readonly grid?: Grid;
  /** The basis of all inputs, or one basis for each input, instead of `grid`. */
  readonly basis?: Basis | readonly Basis[];
  /** Base function; `"silu"` if omitted. */
  readonly base?: BaseFunction;
  /** Whether each edge has a trained factor of its spline; true if omitted, as in pykan. */
  readonly splineScale?: boolean;
  /** How to draw the weights; `"pykan"` if omitted. */
  readonly initialization?: Initialization;
  /** Size of the initial wiggle of the splines; .3 for pykan and .1 for efficient-kan if omitted. */
  readonly noiseScale?: number;
  /** The source of random numbers. */
  readonly random: Random;
}

/**
 * A new layer with weights drawn in the way named by `initialization`:
 * - `"pykan"`: splines fit noise U(-1/2, 1/2) noiseScale / G at G + 1 points; base weights
 *   U(-1, 1) / sqrt(inputDim); spline scales 1 / sqrt(inputDim).
 * - `"efficient-kan"`: the same fit with noiseScale .1; base weights and spline scales
 *   U(-1, 1) sqrt(6 / ((1 + 5) inputDim)), its Kaiming draw with a = sqrt 5.
 * - `"fastkan"`: coefficients N(0, .1^2), base weights as efficient-kan, scales 1.
 * - `"chebykan"`: coefficients N(0, 1 / (inputDim size)^2), base weights 0, scales 1.
 * - `"zero"`: coefficients and base weights 0, scales 1.
 *
 * @throws RangeError if a dimension or the number of bases is wrong, or neither or both of `grid`
 * and `basis` are given.
 *
 * ```ts
 * import { createKanLayerModel } from "@kanpress/kanpress/kan/layers";
 * import { createRandom } from "@kanpress/kanpress/kan";
 * import { uniformGrid } from "@kanpress/kanpress/kan/bases";
 * import assert from "node:assert";
 *
 * const layer = createKanLayerModel({
 *   inputDim: 2,
 *   outputDim: 5,
 *   grid: uniformGrid({ intervals: 3 }),
 *   random: createRandom(0),
 * });
 * assert.equal(layer.coefficients.length, 2 * 6 * 5);
 * ```
 */
export function createKanLayerModel(options: KanLayerOptions): KanLayerModel {
  const { inputDim, outputDim, base = "silu", splineScale = true, random } = options;
  requireInteger("inputDim", inputDim, 1);
  requireInteger("outputDim", outputDim, 1);
  const { products = [], noiseScale = 0 } = options;
  requireOneOf("base", base, ["silu", "identity", "none"]);
  requireProducts("products", products, outputDim);
  requireNumber("noiseScale", noiseScale, { least: 0 });
  const bases = basesOf(options);
  const initialization = options.initialization ?? "pykan";
  requireOneOf("initialization", initialization, INITIALIZATIONS);
  const edges = inputDim * outputDim;
  const baseWeights = new Float64Array(base === "none" ? 0 : edges);
  const splineScales = new Float64Array(splineScale ? edges : 0).fill(1);
  const draw = (bound: number) => (2 * random.uniform() - 1) * bound;
  const fill = (target: Float64Array, next: () => number) => {
    for (let i = 0; i < target.length; i++) target[i] = next();
  };
  let coefficients = new Float64Array(inputDim * bases[0]!.size * outputDim);
  const inputBound = 1 / Math.sqrt(inputDim);
  switch (initialization) {
    case "pykan":
      coefficients = fitNoise(options, bases, options.noiseScale ?? 0.3);
      fill(baseWeights, () => draw(inputBound));
      splineScales.fill(inputBound);
      break;
    case "efficient-kan":
      coefficients = fitNoise(options, bases, options.noiseScale ?? 0.1);
      fill(baseWeights, () => draw(inputBound));
      fill(splineScales, () => draw(inputBound));
      break;
    case "fastkan":
      fill(coefficients, () => 0.1 * random.normal());
      fill(baseWeights, () => draw(inputBound));
      break;
    case "chebykan":
      fill(coefficients, () => random.normal() / (inputDim * bases[0]!.size));
      break;
    case "zero":
      break;
  }
  const mask = new Uint8Array(edges).fill(1);
  const weights = { coefficients, baseWeights, splineScales, mask, symbolic: new Map() };
  return { inputDim, outputDim, products, bases, base, ...weights };
}

/**
 * The number of nodes that the next layer sees: sums that are not factors, and products.
 *
 * ```ts
 * import { createKanLayerModel } from "@kanpress/kanpress/kan/layers";
 * import { createRandom } from "@kanpress/kanpress/kan";
 * import { nodeCount } from "./layer_model.ts";
 * import { uniformGrid } from "@kanpress/kanpress/kan/bases";
 * import assert from "node:assert";
 *
 * const layer = createKanLayerModel({
 *   inputDim: 2,
 *   outputDim: 3,
 *   products: [2],
 *   grid: uniformGrid({ intervals: 3 }),
 *   random: createRandom(0),
 * });
 * assert.equal(nodeCount(layer), 2);
 * ```
 */
export function nodeCount(layer: Pick<KanLayerModel, "outputDim" | "products">): number {
  return layer.outputDim - layer.products.reduce((sum, count) => sum + count - 1, 0);
}

/** Whether edge (input, output) computes anything. */
export function isAlive(layer: KanLayerModel, input: number, output: number): boolean {
  const edge = input * layer.outputDim + output;
  return layer.mask[edge] === 1 || layer.symbolic.has(edge);
}

function basesOf(options: KanLayerOptions): readonly Basis[] {
  const { grid, basis, inputDim } = options;
  if ((grid === undefined) === (basis === undefined)) {
    throw new RangeError("give either a grid or a basis");
  }
  if (grid !== undefined) return [createBsplines(grid)];
  const bases = (Array.isArray(basis) ? basis : [basis]) as readonly Basis[];
  const isSameSize = bases.every((each) => each.size === bases[0]!.size);
  if ((bases.length !== 1 && bases.length !== inputDim) || !isSameSize) {
    throw new RangeError(`${inputDim} inputs need 1 or ${inputDim} bases of one size`);
  }
  return bases;
}

/** Coefficients whose curves pass through noise at G + 1 points of the domain. */
function fitNoise(
  options: KanLayerOptions,
  bases: readonly Basis[],
  noiseScale: number,
): Float64Array<ArrayBuffer> {
  const { inputDim, outputDim, random } = options;
  const size = bases[0]!.size;
  const coefficients = new Float64Array(inputDim * size * outputDim);
  for (let i = 0; i < inputDim; i++) {
    const basis = bases[i % bases.length]!;
    const points = noisePoints(basis);
    const noise = Float64Array.from(
      { length: points.length * outputDim },
      () => (random.uniform() - 0.5) * noiseScale / (points.length - 1),
    );
    const targets = { rows: points.length, columns: outputDim, data: noise };
    const fit = leastSquares(designMatrix(basis, points), targets, 1e-10);
    coefficients.set(fit.data, i * size * outputDim);
  }
  return coefficients;
}

/** The G + 1 breaks of a spline grid, else `size` points evenly over the domain (or [-1, 1]). */
function noisePoints(basis: Basis): Float64Array {
  const { description } = basis;
  if (description.kind === "bspline") {
    const { knots, order } = description;
    return Float64Array.from(knots.slice(order, knots.length - order));
  }
  const [start, end] = basis.domain.every(Number.isFinite) ? basis.domain : [-1, 1];
  return Float64Array.from({ length: basis.size }, (_, i) => {
    return start + (end - start) * (i / Math.max(1, basis.size - 1));
  });
}

/** The basis functions, or a derivative of them, at each point: [points, size]. */
export function designMatrix(
  basis: Basis,
  points: ArrayLike<number>,
  derivative = 0,
): Samples {
  const data = new Float64Array(points.length * basis.size);
  const local = new Float64Array(basis.support);
  for (let p = 0; p < points.length; p++) {
    const first = evaluateBasis(basis, points[p]!, derivative, local);
    data.set(local, p * basis.size + first);
  }
  return { rows: points.length, columns: basis.size, data };
}
