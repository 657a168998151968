import type { Basis, BasisFunctions } from "./basis.ts";
import type { Floats, SplineTables } from "../kernels/edge_batch.ts";
import { evaluateSplines } from "../kernels/edge_kernels.ts";
import { bsplineFunctions, gridOf, type SplineFunctions } from "./bspline.ts";
import { sequenceFunctions, translateFunctions } from "./global_functions.ts";

/** Made when a basis is first used, so that bases are plain data. */
const made = new WeakMap<Basis, BasisFunctions>();

/** How the functions of this basis are computed. */
export function functionsOf(basis: Basis): BasisFunctions {
  let functions = made.get(basis);
  if (functions === undefined) made.set(basis, functions = createFunctions(basis));
  return functions;
}

function createFunctions(basis: Basis): BasisFunctions {
  const { description } = basis;
  switch (description.kind) {
    case "bspline":
      return bsplineFunctions(gridOf(basis)!);
    case "gaussian":
    case "mexican-hat":
      return translateFunctions(description);
    default:
      return sequenceFunctions(description);
  }
}

/**
 * The `derivative`-th derivatives (0: the values) of the functions `first` .. `first + support - 1`
 * of a basis at `x`, with its extrapolation policy applied: written into `out`, in float64. Returns
 * `first`; all other functions are 0 there.
 *
 * @throws RangeError if `x` is outside the domain and the policy is `"error"`.
 *
 * ```ts
 * import { createBsplines, evaluateBasis, uniformGrid } from "@kanpress/kanpress/kan/bases";
 * import assert from "node:assert";
 *
 * const basis = createBsplines(uniformGrid({ intervals: 5 }), "clamp");
 * const values = new Float64Array(basis.support);
 * assert.equal(evaluateBasis(basis, 9, 0, values), 4);
 * assert.ok(Math.abs(values.reduce((sum, value) => sum + value) - 1) < 1e-12);
 * ```
 */
export function evaluateBasis(
  basis: Basis,
  x: number,
  derivative: number,
  out: Float64Array,
): number {
  const functions = functionsOf(basis);
  const [start, end] = basis.domain;
  if ((x >= start && x <= end) || basis.extrapolation === "zero" || Number.isNaN(x)) {
    return functions.evaluate(x, derivative, out);
  }
  const edge = x < start ? start : end;
  switch (basis.extrapolation) {
    case "error":
      requireInside(basis, x);
      return 0;
    case "clamp": {
      const first = functions.evaluate(edge, derivative, out);
      if (derivative > 0) out.fill(0, 0, basis.support);
      return first;
    }
    case "linear":
      return evaluateLinearly(basis, functions, x - edge, edge, derivative, out);
  }
}

function evaluateLinearly(
  { support }: Basis,
  functions: BasisFunctions,
  distance: number,
  edge: number,
  derivative: number,
  out: Float64Array,
): number {
  const first = functions.evaluate(edge, derivative, out);
  if (derivative > 1) out.fill(0, 0, support);
  if (derivative > 0) return first;
  const slopes = new Float64Array(support);
  functions.evaluate(edge, 1, slopes);
  for (let i = 0; i < support; i++) out[i]! += distance * slopes[i]!;
  return first;
}

/** The functions that are not 0 at each of many points. */
export interface LocalValues<A extends Floats = Float64Array> {
  /** Number of the first of them, one a point. */
  readonly first: Int32Array;
  /** Their values, [points, support]. */
  readonly values: A;
  /** Their slopes, [points, support]; empty unless asked for. */
  readonly slopes: A;
}

/**
 * {@link evaluateBasis} at every point of `points` [rows, inputs], row by row.
 *
 * @param bases One basis for all inputs, or one for each input; all of one size and support.
 */
export function evaluatePoints(
  bases: readonly Basis[],
  points: Float64Array | Float32Array,
  wantsSlopes: boolean,
): LocalValues {
  const support = bases[0]!.support, each = bases.map(functionsOf);
  const first = new Int32Array(points.length);
  const values = new Float64Array(points.length * support);
  const slopes = new Float64Array(wantsSlopes ? values.length : 0);
  const edgeSlopes = new Float64Array(support);
  for (let p = 0, input = 0, at = 0; p < points.length; p++, at += support) {
    const basis = bases[input]!, functions = each[input]!;
    if (++input === bases.length) input = 0;
    const { extrapolation, domain } = basis;
    const x = points[p]!;
    const end = x < domain[0] ? domain[0] : x > domain[1] ? domain[1] : x;
    if (end === x || extrapolation === "zero" || x !== x) {
      first[p] = wantsSlopes
        ? functions.evaluateBoth(x, values, slopes, at)
        : functions.evaluate(x, 0, values, at);
      continue;
    }
    if (extrapolation === "error") requireInside(basis, x);
    if (extrapolation === "clamp") {
      // The slopes stay 0.
      first[p] = functions.evaluate(end, 0, values, at);
      continue;
    }
    first[p] = functions.evaluate(end, 0, values, at);
    functions.evaluate(end, 1, edgeSlopes);
    if (wantsSlopes) slopes.set(edgeSlopes, at);
    for (let i = 0; i < support; i++) values[at + i]! += (x - end) * edgeSlopes[i]!;
  }
  return { first, values, slopes };
}

/** Throws a RangeError if `x` is outside the domain. */
export function requireInside({ domain: [start, end] }: Basis, x: number): void {
  if (x >= start && x <= end) return;
  throw new RangeError(`input ${x} is outside the domain [${start}, ${end}] of the basis`);
}

/** As {@link evaluatePoints}, by a kernel in the precision of the points where there is one. */
export function evaluatePointsFast(
  bases: readonly Basis[],
  points: Floats,
  inputs: number,
  wantsSlopes: boolean,
): LocalValues<Floats> {
  const tables = tablesOf(bases);
  return (tables && evaluateSplines(tables, points, inputs, wantsSlopes)) ??
    evaluatePoints(bases, points, wantsSlopes);
}

const madeTables = new WeakMap<readonly Basis[], SplineTables | undefined>();

/** Cubic splines of one size and policy as kernels want them; undefined for others. */
function tablesOf(bases: readonly Basis[]): SplineTables | undefined {
  if (!madeTables.has(bases)) madeTables.set(bases, createTables(bases));
  return madeTables.get(bases);
}

function createTables(bases: readonly Basis[]): SplineTables | undefined {
  const grids = bases.map(gridOf);
  const { extrapolation } = bases[0]!, intervals = grids[0]?.intervals ?? 0;
  const isAlike = bases.every((basis, i) => {
    const grid = grids[i];
    return basis.extrapolation === extrapolation && grid?.order === 3 &&
      grid.intervals === intervals;
  });
  if (!isAlike || (extrapolation !== "linear" && extrapolation !== "clamp")) return undefined;
  const knots = new Float64Array(bases.length * (intervals + 1));
  const tables = [0, 1].map((derivative) => {
    const table = new Float64Array(bases.length * intervals * 16);
    bases.forEach((basis, b) => {
      const pieces = (functionsOf(basis) as SplineFunctions).pieces(derivative);
      for (let interval = 0; interval < intervals; interval++) {
        for (let i = 0; i < 16; i++) {
          // From [spline, power] to [power, spline].
          const place = (i % 4) * 4 + (i >> 2);
          table[(b * intervals + interval) * 16 + i] = pieces[(interval + 3) * 16 + place]!;
        }
      }
    });
    return table;
  });
  grids.forEach((grid, b) => knots.set(grid!.knots.slice(3, 4 + intervals), b * (intervals + 1)));
  const [values, slopes] = tables as [Float64Array, Float64Array];
  const isFlat = extrapolation === "clamp";
  return { intervals, isShared: bases.length === 1, isFlat, knots, values, slopes };
}
