import { requireInteger } from "../numeric/checks.ts";
import * as tf from "@tensorflow/tfjs";
import { type Grid, gridFromKnots } from "./grid.ts";
import {
  type Basis,
  type BasisFunctions,
  type Extrapolation,
  requireExtrapolation,
} from "./basis.ts";

/**
 * The `intervals + order` B-splines on `grid`.
 *
 * ```ts
 * import { createBsplines, uniformGrid } from "@kanpress/kanpress/kan/bases";
 * import assert from "node:assert";
 *
 * const basis = createBsplines(uniformGrid({ intervals: 5, order: 3 }));
 * assert.equal(basis.size, 8);
 * assert.equal(basis.support, 4);
 * ```
 */
export function createBsplines(grid: Grid, extrapolation: Extrapolation = "linear"): Basis {
  requireExtrapolation(extrapolation);
  const { order, intervals, knots, range } = grid;
  return {
    size: intervals + order,
    support: order + 1,
    domain: range,
    extrapolation,
    description: { kind: "bspline", order, knots, extrapolation },
  };
}

/** {@link BasisFunctions} of B-splines. */
export interface SplineFunctions extends BasisFunctions {
  /**
   * A derivative of the splines that are not 0 on each knot interval as polynomials in the place in
   * it, 0 to 1: [all intervals, spline, power].
   */
  pieces(derivative: number): Float64Array;
}

/** How the B-splines on `grid` are computed. */
export function bsplineFunctions(grid: Grid): SplineFunctions {
  const { order, range } = grid, support = order + 1;
  const knots = Float64Array.from(grid.knots);
  const tables = [polynomialPieces(grid)];
  const table = (derivative: number) => {
    while (tables.length <= derivative) tables.push(differentiate(tables.at(-1)!, grid));
    return tables[derivative]!;
  };

  function readRow(pieces: Float64Array, span: number, u: number, out: Float64Array, at: number) {
    let row = span * support * support + order;
    if (order === 3) {
      // The loop below, unrolled for the usual order.
      for (let i = 0; i < 4; i++, row += 4) {
        const upper = pieces[row]! * u + pieces[row - 1]!;
        out[at + i] = (upper * u + pieces[row - 2]!) * u + pieces[row - 3]!;
      }
      return;
    }
    for (let i = 0; i < support; i++, row += support) {
      let sum = pieces[row]!;
      for (let power = 1; power <= order; power++) sum = sum * u + pieces[row - power]!;
      out[at + i] = sum;
    }
  }

  return {
    pieces: table,
    evaluate(x, derivative, out, at = 0) {
      const span = findSpan(knots, range, x);
      if (span < 0) {
        out.fill(Number.isNaN(x) ? NaN : 0, at, at + support);
        return 0;
      }
      const left = knots[span]!;
      readRow(table(derivative), span, (x - left) / (knots[span + 1]! - left), out, at);
      return firstOnSpan(grid, span);
    },
    evaluateBoth(x, values, slopes, at) {
      const span = findSpan(knots, range, x);
      if (span < 0) {
        for (const out of [values, slopes]) out.fill(Number.isNaN(x) ? NaN : 0, at, at + support);
        return 0;
      }
      const left = knots[span]!, u = (x - left) / (knots[span + 1]! - left);
      readRow(table(0), span, u, values, at);
      readRow(table(1), span, u, slopes, at);
      return firstOnSpan(grid, span);
    },
    expand: (x, derivative) => expandBsplines(grid, x, derivative),
  };
}

/**
 * The B-splines of `grid`, or a derivative of them, at one or many points, in float64, without an
 * extrapolation policy: beyond the range they fade to 0. Returns [points, intervals + order].
 *
 * ```ts
 * import { bsplineBasis, uniformGrid } from "@kanpress/kanpress/kan/bases";
 * import assert from "node:assert";
 *
 * const values = bsplineBasis(uniformGrid({ intervals: 5, order: 3 }), 0.2);
 * assert.ok(Math.abs(values[4]! - 4 / 6) < 1e-12); // 1/6, 4/6, 1/6 at a knot
 * ```
 */
export function bsplineBasis(
  grid: Grid,
  x: number | ArrayLike<number>,
  derivative = 0,
): Float64Array {
  requireInteger("derivative", derivative, 0);
  const points = typeof x === "number" ? [x] : x;
  const functions = bsplineFunctions(grid), size = grid.intervals + grid.order;
  const values = new Float64Array(points.length * size);
  const local = new Float64Array(grid.order + 1);
  for (let p = 0; p < points.length; p++) {
    const first = functions.evaluate(points[p]!, derivative, local);
    values.set(local, p * size + first);
  }
  return values;
}

/**
 * The grid of a B-spline basis, or undefined for another basis.
 *
 * ```ts
 * import { createBsplines, gridOf, uniformGrid } from "@kanpress/kanpress/kan/bases";
 * import assert from "node:assert";
 *
 * const grid = uniformGrid({ intervals: 4 });
 * assert.deepEqual(gridOf(createBsplines(grid)), grid);
 * ```
 */
export function gridOf(basis: Basis): Grid | undefined {
  const { description } = basis;
  if (description.kind !== "bspline") return undefined;
  return gridFromKnots(description.knots, description.order);
}

/** The derivatives with respect to x of polynomials in u, laid out as {@link polynomialPieces} does. */
function differentiate(pieces: Float64Array, { order, knots }: Grid): Float64Array {
  const terms = order + 1;
  return pieces.map((_, at) => {
    const power = at % terms, span = Math.floor(at / (terms * terms));
    const width = knots[span + 1]! - knots[span]!;
    return power < order && width > 0 ? (power + 1) * pieces[at + 1]! / width : 0;
  });
}

/**
 * The index of the knot interval that holds `x`, or -1 outside all knots. Intervals are closed on
 * the left; the end of the range belongs to the interval before it, so that one-sided values and
 * slopes there are those of the inside.
 */
function findSpan(knots: Float64Array, range: Grid["range"], x: number): number {
  let low = 0, high = knots.length - 1;
  if (!(x >= knots[low]! && x <= knots[high]!)) return -1;
  const isEnd = x === range[1];
  // On even knots the guess is right but for rounding; on others the bisection goes on from it.
  const guess = Math.floor((x - knots[0]!) / (knots[high]! - knots[0]!) * high);
  if (guess > 0 && guess < high) {
    if (isEnd ? x > knots[guess]! : x >= knots[guess]!) {
      low = guess;
      if (x < knots[guess + 1]!) high = guess + 1;
    } else high = guess;
  }
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if (isEnd ? x > knots[middle]! : x >= knots[middle]!) low = middle;
    else high = middle;
  }
  while (low > 0 && knots[low] === knots[low + 1]) low--;
  return low;
}

/** The first of the `order + 1` B-splines that may not be 0 on a knot interval. */
function firstOnSpan({ order, intervals }: Grid, span: number): number {
  return Math.min(Math.max(span - order, 0), intervals - 1);
}

/**
 * The polynomials of the `order + 1` B-splines from {@link firstOnSpan} on, on every knot interval,
 * [interval][spline][power], in the local coordinate u = (x - knot) / width, from the Cox-de Boor
 * recursion applied to polynomials. Reading a short row of it replaces the recursion at each point.
 */
function polynomialPieces(grid: Grid): Float64Array {
  const { order, knots } = grid;
  const spans = knots.length - 1, terms = order + 1;
  const pieces = new Float64Array(spans * terms * terms);
  for (let span = 0; span < spans; span++) {
    const left = knots[span]!, width = knots[span + 1]! - left;
    if (width === 0) continue;
    // Row r is of spline r + lowestSpline: only those between reach the interval.
    const lowestSpline = span - order;
    let rows = Array.from({ length: order + 2 }, () => new Float64Array(terms));
    rows[order]![0] = 1;
    for (let degree = 1; degree <= order; degree++) {
      const raised = Array.from({ length: order + 2 }, () => new Float64Array(terms));
      const lowest = Math.max(0, span - degree), highest = Math.min(span, spans - degree - 1);
      for (let i = lowest; i <= highest; i++) {
        const target = raised[i - lowestSpline]!;
        const rise = knots[i + degree]! - knots[i]!;
        const fall = knots[i + degree + 1]! - knots[i + 1]!;
        if (rise > 0) {
          addLinearTimes(target, rows[i - lowestSpline]!, (left - knots[i]!) / rise, width / rise);
        }
        if (fall > 0) {
          const offset = (knots[i + degree + 1]! - left) / fall;
          addLinearTimes(target, rows[i + 1 - lowestSpline]!, offset, -width / fall);
        }
      }
      rows = raised;
    }
    const first = firstOnSpan(grid, span);
    for (let i = Math.max(first, lowestSpline); i <= Math.min(first + order, span); i++) {
      pieces.set(rows[i - lowestSpline]!, (span * terms + i - first) * terms);
    }
  }
  return pieces;
}

/** target += (offset + slope u) * polynomial. */
function addLinearTimes(
  target: Float64Array,
  polynomial: Float64Array,
  offset: number,
  slope: number,
): void {
  for (let power = 0; power < target.length; power++) {
    target[power]! += offset * polynomial[power]!;
    if (power > 0) target[power]! += slope * polynomial[power - 1]!;
  }
}

/** The Cox-de Boor recursion on tensors: [...x.shape, intervals + order]. */
function expandBsplines(grid: Grid, x: tf.Tensor, derivative: number): tf.Tensor {
  const { order, intervals, knots } = grid;
  return tf.tidy(() => {
    if (derivative > order) return tf.zeros([...x.shape, intervals + order]);
    const point = x.expandDims(-1);
    let values = intervalIndicators(grid, point);
    for (let degree = 1; degree <= order; degree++) {
      const count = values.shape.at(-1)! - 1;
      const differences = (offset: number) =>
        tf.tensor1d(Array.from({ length: count }, (_, i) => {
          const width = knots[i + offset + degree]! - knots[i + offset]!;
          return width > 0 ? 1 / width : 0;
        }));
      const lower = lastAxisSlice(values, 0, count), upper = lastAxisSlice(values, 1, count);
      const rise = lower.mul(differences(0)), fall = upper.mul(differences(1));
      if (degree > order - derivative) values = rise.sub(fall).mul(degree);
      else {
        const starts = tf.tensor1d(knots.slice(0, count));
        const ends = tf.tensor1d(knots.slice(degree + 1, degree + 1 + count));
        values = rise.mul(point.sub(starts)).add(fall.mul(ends.sub(point)));
      }
    }
    return values;
  });
}

/** 1 where the point lies in the knot interval, else 0; ends as in {@link findSpan}. */
function intervalIndicators(grid: Grid, point: tf.Tensor): tf.Tensor {
  const { knots, range: [, end] } = grid;
  const starts = tf.tensor1d(knots.slice(0, -1)), ends = tf.tensor1d(knots.slice(1));
  const last = findSpan(Float64Array.from(knots), grid.range, end);
  const inside = tf.logicalAnd(point.greaterEqual(starts), point.less(ends)).cast("float32");
  const atEnd = point.equal(tf.scalar(end)).cast("float32");
  const lastInterval = tf.tensor1d(Array.from(knots.slice(1), (_, i) => i === last ? 1 : 0));
  return inside.mul(tf.scalar(1).sub(atEnd)).add(atEnd.mul(lastInterval));
}

function lastAxisSlice(tensor: tf.Tensor, start: number, count: number): tf.Tensor {
  const begin = tensor.shape.map(() => 0);
  begin[begin.length - 1] = start;
  return tensor.slice(begin, [...tensor.shape.slice(0, -1), count]);
}
