import { requireFinite, requireNumber, requireRange } from "../numeric/checks.ts";
import { leastSquares } from "../numeric/least_squares.ts";
import { LevenbergMarquardt, type ResidualProblem } from "../optimizers/levenberg_marquardt.ts";
import {
  type SymbolicEdge,
  type SymbolicFunction,
  symbolicFunction,
  symbolicFunctions,
} from "../model/symbolic_functions.ts";

/** A closed form compared with an edge. */
export interface Suggestion {
  /** The closed form that fits best with this function. */
  readonly edge: SymbolicEdge;
  /** Share of the variance of the edge that it explains, 0 to 1; 0 for a constant in its stead. */
  readonly r2: number;
  /** Complexity of the function. */
  readonly complexity: number;
  /**
   * .8 complexity + .2 log2(1 + 1e-5 - r2): the lower the better, as in pykan; but what explains
   * nothing, with an r2 of 0, comes last.
   */
  readonly score: number;
}

/** Where the numbers a and b of c f(a x + b) + d are sought before all four are polished. */
export interface SearchRanges {
  /** Lowest and highest a; [-10, 10] if omitted, as in pykan. */
  readonly inputScales?: readonly [number, number];
  /** Lowest and highest b; [-10, 10] if omitted, as in pykan. */
  readonly inputShifts?: readonly [number, number];
}

/** What {@link suggestSymbolic} compares with. */
export interface SuggestOptions extends SearchRanges {
  /** Names of functions; the whole library but `"0"`, which would remove edges, if omitted. */
  readonly functions?: readonly string[];
  /** Names of functions besides those, e.g. of your own. */
  readonly moreFunctions?: readonly string[];
  /** Complexities by name, instead of the functions' own. */
  readonly complexities?: Readonly<Record<string, number>>;
  /** Weight of simplicity against fit, 0 to 1; .8 if omitted, as in pykan. */
  readonly simplicity?: number;
}

const SEARCH_RANGE = [-10, 10] as const;
/** Values of each in every pass of the search; passes after the first zoom in on the best values. */
const SEARCH_POINTS = [101, 25, 25] as const;
/** Samples that the search looks at; the final fit sees all. */
const SEARCH_SAMPLES = 24;
const POLISH_STEPS = 30;
/**
 * Largest |c f| over the range of y. Beyond it only the first terms of the Taylor series of f are
 * left, as when 1e6 (1 - cos(.001 x)) poses as x^2.
 */
const MAX_CANCELLATION = 30;
/** The same on the samples of the search, a little less so that it holds on all. */
const SEARCHED_CANCELLATION = 27;

/**
 * As `suggestSymbolic`, for any samples of a curve.
 *
 * @param x Where the curve was sampled, at least 2 points.
 * @param y Its values there.
 * @throws RangeError if a function is unknown or the numbers of samples differ.
 *
 * ```ts
 * import { suggestForCurve } from "@kanpress/kanpress/kan/symbolic";
 * import assert from "node:assert";
 *
 * const x = Float64Array.from({ length: 50 }, (_, i) => i / 25 - 1);
 * const y = x.map((each) => 3 * Math.exp(2 * each) - 1);
 * const [best] = suggestForCurve(x, y, { functions: ["x", "x^2", "exp"] });
 * assert.ok(best!.edge.name === "exp" && Math.abs(best!.edge.inputScale - 2) < 1e-6);
 * ```
 */
export function suggestForCurve(
  x: Float64Array,
  y: Float64Array,
  options: SuggestOptions = {},
): readonly Suggestion[] {
  requireFinite("x", x);
  requireFinite("y", y);
  if (x.length !== y.length || x.length < 2) {
    throw new RangeError(
      `a curve needs at least 2 samples, got ${x.length} and ${y.length} values`,
    );
  }
  const { simplicity = 0.8 } = options;
  requireNumber("simplicity", simplicity, { least: 0, most: 1 });
  return candidatesOf(options).map(({ symbolic, complexity }) => {
    const { edge, r2 } = fitSymbolic(symbolic, x, y, options);
    const misfit = Math.log2(1 + 1e-5 - r2);
    const score = simplicity * complexity + (1 - simplicity) * misfit;
    return { edge, r2, complexity, score };
  }).sort((a, b) => Number(a.r2 === 0) - Number(b.r2 === 0) || a.score - b.score);
}

/** The functions to compare with, each once, and how complex each counts. */
function candidatesOf(
  { functions, moreFunctions = [], complexities = {} }: SuggestOptions,
): { symbolic: SymbolicFunction; complexity: number }[] {
  for (const [name, complexity] of Object.entries(complexities)) {
    symbolicFunction(name);
    requireNumber(`the complexity of "${name}"`, complexity, { least: 0 });
  }
  const library = symbolicFunctions.map(({ name }) => name).filter((name) => name !== "0");
  const names = new Set([...functions ?? library, ...moreFunctions]);
  return [...names].map((name) => {
    const symbolic = symbolicFunction(name);
    return { symbolic, complexity: complexities[name] ?? symbolic.complexity };
  });
}

/** The best c f(a x + b) + d: a and b by search, then all four by least squares. */
export function fitSymbolic(
  symbolic: SymbolicFunction,
  x: Float64Array,
  y: Float64Array,
  ranges: SearchRanges = {},
): { edge: SymbolicEdge; r2: number } {
  const mean = y.reduce((sum, value) => sum + value, 0) / y.length;
  const spread = y.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const { name } = symbolic;
  const constant = { name, inputScale: 1, inputShift: 0, outputScale: 0, outputShift: mean };
  if (name === "0") return { edge: constant, r2: spread === 0 ? 1 : 0 };
  const free = polish(symbolic, x, y, search(symbolic, x, y, ranges, Infinity));
  const best = free ??
    polish(symbolic, x, y, search(symbolic, x, y, ranges, SEARCHED_CANCELLATION));
  if (best === undefined) return { edge: constant, r2: 0 };
  const squares = residualProblem(symbolic, x, y).residuals(best)
    .reduce((sum, value) => sum + value * value, 0);
  const r2 = spread === 0 ? 1 : 1 - squares / spread;
  // A constant is no function of its argument, unless the curve is one.
  if (!(r2 > 0)) return { edge: constant, r2: 0 };
  const [inputScale, inputShift, outputScale, outputShift] = best as unknown as [
    number,
    number,
    number,
    number,
  ];
  return { edge: { name, inputScale, inputShift, outputScale, outputShift }, r2 };
}

/** a, b, c and d near the given a and b by least squares; undefined if they are of no use. */
function polish(
  symbolic: SymbolicFunction,
  x: Float64Array,
  y: Float64Array,
  { a, b }: { a: number; b: number },
): Float64Array | undefined {
  const { c, d } = regress(symbolic, a, b, x, y);
  let best: Float64Array = Float64Array.of(a, b, c, d);
  const isUseful = (numbers: Float64Array) =>
    numbers.every(Number.isFinite) && cancellation(symbolic, numbers, x, y) <= MAX_CANCELLATION;
  if (!isUseful(best)) return undefined;
  const problem = residualProblem(symbolic, x, y);
  const method = new LevenbergMarquardt();
  // A line has only two parameters, which the regression has found.
  for (let i = 0; i < POLISH_STEPS && symbolic.name !== "x"; i++) {
    const next = method.step(problem, best);
    if (next === undefined || !isUseful(next)) break;
    best = next;
  }
  return best;
}

/** The largest |c f(a x + b)| over the range of y. */
function cancellation(
  symbolic: SymbolicFunction,
  [a, b, c]: Float64Array,
  x: Float64Array,
  y: Float64Array,
): number {
  let lowest = Infinity, highest = -Infinity, largest = 0;
  for (let row = 0; row < x.length; row++) {
    lowest = Math.min(lowest, y[row]!);
    highest = Math.max(highest, y[row]!);
    largest = Math.max(largest, Math.abs(c! * symbolic.value(a! * x[row]! + b!)));
  }
  return highest > lowest ? largest / (highest - lowest) : 0;
}

/** The a and b for which f(a x + b) and y are most correlated, without more cancellation. */
function search(
  symbolic: SymbolicFunction,
  x: Float64Array,
  y: Float64Array,
  { inputScales = SEARCH_RANGE, inputShifts = SEARCH_RANGE }: SearchRanges,
  mostCancellation: number,
): { a: number; b: number } {
  if (symbolic.name === "x") return { a: 1, b: 0 };
  requireRange("inputScales", inputScales);
  requireRange("inputShifts", inputShifts);
  const order = Array.from(x.keys()).sort((p, q) => x[p]! - x[q]!);
  const seen = Math.min(SEARCH_SAMPLES, order.length);
  const chosen = Array.from({ length: seen }, (_, i) => {
    return order[Math.round(i * (order.length - 1) / Math.max(1, seen - 1))]!;
  });
  const points = Float64Array.from(chosen, (row) => x[row]!);
  const values = Float64Array.from(chosen, (row) => y[row]!);
  let center = { a: middleOf(inputScales), b: middleOf(inputShifts) };
  let half = { a: inputScales[1] - center.a, b: inputShifts[1] - center.b };
  let best = { ...center, r2: -1 };
  for (const count of SEARCH_POINTS) {
    const step = { a: 2 * half.a / (count - 1), b: 2 * half.b / (count - 1) };
    for (let i = 0; i < count; i++) {
      for (let j = 0; j < count; j++) {
        const a = center.a - half.a + i * step.a, b = center.b - half.b + j * step.b;
        const r2 = squaredCorrelation(symbolic, a, b, points, values);
        if (r2 <= best.r2) continue;
        if (mostCancellation < Infinity) {
          const { c } = regress(symbolic, a, b, points, values);
          const numbers = Float64Array.of(a, b, c);
          if (!(cancellation(symbolic, numbers, points, values) <= mostCancellation)) continue;
        }
        best = { a, b, r2 };
      }
    }
    center = best;
    half = step;
  }
  return best;
}

function middleOf([start, end]: readonly [number, number]): number {
  return (start + end) / 2;
}

/** r^2 of y and f(a x + b); 0 if an argument is outside the domain of f or nothing varies. */
function squaredCorrelation(
  symbolic: SymbolicFunction,
  a: number,
  b: number,
  x: Float64Array,
  y: Float64Array,
): number {
  const [start, end] = symbolic.domain;
  // Differences from the first sample, so that large means do not swallow small variations.
  const firstY = y[0]!;
  let first = 0, f = 0, ff = 0, fy = 0, sumY = 0, yy = 0;
  for (let row = 0; row < x.length; row++) {
    const argument = a * x[row]! + b;
    if (argument < start || argument > end) return 0;
    const value = symbolic.value(argument);
    if (row === 0) first = value;
    const df = value - first, dy = y[row]! - firstY;
    f += df;
    ff += df * df;
    fy += df * dy;
    sumY += dy;
    yy += dy * dy;
  }
  const n = x.length;
  const product = (n * ff - f * f) * (n * yy - sumY * sumY);
  const r2 = (n * fy - f * sumY) ** 2 / product;
  return product > 0 && Number.isFinite(r2) ? r2 : 0;
}

/** The c and d that bring c f(a x + b) + d closest to y. */
function regress(
  symbolic: SymbolicFunction,
  a: number,
  b: number,
  x: Float64Array,
  y: Float64Array,
): { c: number; d: number } {
  const data = new Float64Array(2 * x.length);
  x.forEach((point, row) => data.set([symbolic.value(a * point + b), 1], 2 * row));
  const design = { rows: x.length, columns: 2, data };
  const { data: [c, d] } = leastSquares(design, { rows: y.length, columns: 1, data: y });
  return { c: c!, d: d! };
}

function residualProblem(
  symbolic: SymbolicFunction,
  x: Float64Array,
  y: Float64Array,
): ResidualProblem {
  const [start, end] = symbolic.domain;
  return {
    residuals: ([a, b, c, d]) =>
      x.map((point, row) => {
        const argument = a! * point + b!;
        if (argument < start || argument > end) return Infinity;
        return c! * symbolic.value(argument) + d! - y[row]!;
      }),
    jacobian: ([a, b, c]) => {
      const data = new Float64Array(4 * x.length);
      x.forEach((point, row) => {
        const argument = a! * point + b!;
        const slope = c! * symbolic.slope(argument);
        data.set([slope * point, slope, symbolic.value(argument), 1], 4 * row);
      });
      return { rows: x.length, columns: 4, data };
    },
  };
}
