import { requireOneOf } from "../numeric/checks.ts";
import type { Tensor } from "../numeric/tensor_types.ts";

/**
 * What a basis does with inputs outside its domain [a, b]:
 * - `"clamp"`: the value at the nearer end; the slope is 0.
 * - `"linear"`: the value and slope at the nearer end, carried on as a straight line.
 * - `"zero"`: the functions as they are; B-splines fade to 0 within `order` intervals (pykan).
 * - `"error"`: a RangeError (not on WebGPU, where tensors cannot be read synchronously).
 */
export type Extrapolation = "clamp" | "linear" | "zero" | "error";

/** Throws a RangeError unless the policy is one of those. */
export function requireExtrapolation(policy: Extrapolation): void {
  requireOneOf("extrapolation", policy, ["clamp", "linear", "zero", "error"]);
}

/** A finite set of functions of one variable, whose weighted sums are the curves of KAN edges. */
export interface Basis {
  /** Number of functions. */
  readonly size: number;
  /** The largest number of functions that are not 0 at one point; `size` for global bases. */
  readonly support: number;
  /** The interval on which the functions are meant to be used; may be infinite. */
  readonly domain: readonly [number, number];
  /** What happens outside `domain`. */
  readonly extrapolation: Extrapolation;
  /** Everything needed to make the basis again, as plain JSON. */
  readonly description: BasisDescription;
  /**
   * Writes the `derivative`-th derivatives (0: the values) of the functions `first` ..
   * `first + support - 1` at `x` into `out`, in float64, and returns `first`; all other functions
   * are 0 there. Ignores the extrapolation policy: see {@link evaluateBasis}.
   */
  evaluate(x: number, derivative: number, out: Float64Array): number;
  /**
   * The same for all functions by tfjs operators, float32, on any backend: shape [...x.shape, size].
   * Ignores the extrapolation policy and is not differentiable: see {@link expandBasis}.
   */
  expand(x: Tensor, derivative: number): Tensor;
}

/** A basis as plain JSON, discriminated by `kind`. */
export type BasisDescription =
  | {
    /** B-splines on a grid. */
    readonly kind: "bspline";
    /** Polynomial degree. */
    readonly order: number;
    /** All knots of the grid. */
    readonly knots: readonly number[];
    /** What happens outside the range of the grid. */
    readonly extrapolation: Extrapolation;
  }
  | {
    /** Equally spaced copies of one function. */
    readonly kind: "gaussian" | "mexican-hat";
    /** Number of centres. */
    readonly count: number;
    /** First and last centre. */
    readonly range: readonly [number, number];
    /** Width of the function. */
    readonly width: number;
    /** What happens outside `range`. */
    readonly extrapolation: Extrapolation;
  }
  | {
    /** Chebyshev polynomials of tanh x. */
    readonly kind: "chebyshev";
    /** Highest degree. */
    readonly degree: number;
  }
  | {
    /** 1, cosines and sines. */
    readonly kind: "fourier";
    /** Number of frequencies. */
    readonly frequencies: number;
    /** The common period. */
    readonly period: number;
  }
  | {
    /** Powers over a fixed denominator. */
    readonly kind: "rational";
    /** Highest power of the numerator. */
    readonly degree: number;
    /** Coefficients of x, x^2, ... in the denominator. */
    readonly denominator: readonly number[];
  };

/**
 * As {@link Basis.evaluate}, with the extrapolation policy of the basis applied.
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
  const [start, end] = basis.domain;
  if ((x >= start && x <= end) || basis.extrapolation === "zero" || Number.isNaN(x)) {
    return basis.evaluate(x, derivative, out);
  }
  const edge = x < start ? start : end;
  switch (basis.extrapolation) {
    case "error":
      throw new RangeError(`input ${x} is outside the domain [${start}, ${end}] of the basis`);
    case "clamp": {
      const first = basis.evaluate(edge, derivative, out);
      if (derivative > 0) out.fill(0, 0, basis.support);
      return first;
    }
    case "linear":
      return evaluateLinearly(basis, x - edge, edge, derivative, out);
  }
}

function evaluateLinearly(
  basis: Basis,
  distance: number,
  edge: number,
  derivative: number,
  out: Float64Array,
): number {
  const first = basis.evaluate(edge, derivative, out);
  if (derivative > 1) out.fill(0, 0, basis.support);
  if (derivative > 0) return first;
  const slopes = new Float64Array(basis.support);
  basis.evaluate(edge, 1, slopes);
  for (let i = 0; i < basis.support; i++) out[i]! += distance * slopes[i]!;
  return first;
}
