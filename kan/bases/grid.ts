import { requireFinite, requireInteger, requireRange } from "../numeric/checks.ts";

/** The knots of a B-spline on one input axis; immutable (the knots are frozen). */
export interface Grid {
  /** Polynomial degree k of the splines, 0 to 32; 3 is cubic. */
  readonly order: number;
  /** Number G of knot intervals inside `range`, 1 or more. */
  readonly intervals: number;
  /** The interval [a, b], a < b, on which the splines can represent any polynomial. */
  readonly range: readonly [number, number];
  /** All `intervals + 2 * order + 1` knots, ascending; a is knot `order`, b is knot `order + intervals`. */
  readonly knots: readonly number[];
}

/** Splines of higher degrees are of no use, and their tables grow with its square. */
const HIGHEST_ORDER = 32;

/** What {@link uniformGrid} needs. */
export interface UniformGridOptions {
  /** Number G of intervals, an integer of at least 1. */
  readonly intervals: number;
  /** Polynomial degree k, an integer from 0 to 32; 3 if omitted. */
  readonly order?: number;
  /** The interval [a, b], finite, a < b; [-1, 1] if omitted. */
  readonly range?: readonly [number, number];
}

/**
 * Equally spaced knots over `range`, carried on by `order` more at both ends (Liu et al. 2024,
 * arXiv:2404.19756, section 2.2).
 *
 * @throws RangeError if a number is out of its range.
 *
 * ```ts
 * import { uniformGrid } from "@kanpress/kanpress/kan/bases";
 * import assert from "node:assert";
 *
 * const grid = uniformGrid({ intervals: 5, order: 3, range: [-1, 1] });
 * assert.equal(grid.knots.length, 12);
 * assert.ok(Math.abs(grid.knots[0]! + 2.2) < 1e-12);
 * ```
 */
export function uniformGrid(options: UniformGridOptions): Grid {
  const { intervals, order = 3, range: [start, end] = [-1, 1] } = options;
  requireInteger("intervals", intervals, 1);
  requireRange("range", [start, end]);
  const breaks = Array.from(
    { length: intervals + 1 },
    (_, i) => i === intervals ? end : start + (end - start) * (i / intervals),
  );
  return gridFromBreaks(breaks, order);
}

/**
 * A grid whose inner knots are `breaks` (G + 1 ascending numbers); the `order` knots beyond each
 * end step by the mean interval width, as in pykan.
 *
 * @throws RangeError if there are fewer than 2 breaks, if they are not ascending or not finite, if
 * the first equals the last, or if `order` is not an integer from 0 to 32.
 *
 * ```ts
 * import { gridFromBreaks } from "@kanpress/kanpress/kan/bases";
 * import assert from "node:assert";
 *
 * assert.deepEqual(gridFromBreaks([0, 1, 4], 1).knots, [-2, 0, 1, 4, 6]);
 * ```
 */
export function gridFromBreaks(breaks: ArrayLike<number>, order: number): Grid {
  requireInteger("order", order, 0, HIGHEST_ORDER);
  requireFinite("breaks", breaks);
  const intervals = breaks.length - 1;
  if (intervals < 1) throw new RangeError(`a grid needs at least 2 breaks, got ${breaks.length}`);
  const start = breaks[0]!, end = breaks[intervals]!;
  const step = (end - start) / intervals;
  const knots = Array.from({ length: intervals + 2 * order + 1 }, (_, i) => {
    if (i < order) return start - (order - i) * step;
    const inner = i - order;
    return inner <= intervals ? breaks[inner]! : end + (inner - intervals) * step;
  });
  return gridFromKnots(knots, order);
}

/**
 * A grid with exactly the given knots, `intervals + 2 * order + 1` of them.
 *
 * @throws RangeError if they are too few, not finite or not ascending, if the inner range is empty,
 * or if `order` is not an integer from 0 to 32.
 *
 * ```ts
 * import { gridFromKnots } from "@kanpress/kanpress/kan/bases";
 * import assert from "node:assert";
 *
 * assert.deepEqual(gridFromKnots([0, 1, 2, 3], 1).range, [1, 2]);
 * ```
 */
export function gridFromKnots(knots: ArrayLike<number>, order: number): Grid {
  requireInteger("order", order, 0, HIGHEST_ORDER);
  const intervals = knots.length - 2 * order - 1;
  if (intervals < 1) {
    throw new RangeError(
      `order ${order} needs at least ${2 * order + 2} knots, got ${knots.length}`,
    );
  }
  for (let i = 0; i < knots.length; i++) {
    if (!Number.isFinite(knots[i]) || (i > 0 && knots[i]! < knots[i - 1]!)) {
      throw new RangeError(`knots must be finite and ascending, but knot ${i} is ${knots[i]}`);
    }
  }
  const range = [knots[order]!, knots[order + intervals]!] as const;
  if (!(range[0] < range[1])) throw new RangeError(`the range of the grid is empty: [${range}]`);
  return Object.freeze({
    order,
    intervals,
    range: Object.freeze(range),
    knots: Object.freeze(Array.from(knots)),
  });
}
