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

/**
 * A finite set of functions of one variable, whose weighted sums are the curves of KAN edges. Plain
 * data, which can be cloned and sent to a worker.
 */
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
}

/** How the functions of a {@link Basis} are computed; none of these knows the extrapolation policy. */
export interface BasisFunctions {
  /**
   * Writes the `derivative`-th derivatives (0: the values) of the functions `first` ..
   * `first + support - 1` at `x` into `out` from place `at` on, in float64, and returns `first`; all
   * other functions are 0 there.
   */
  evaluate(x: number, derivative: number, out: Float64Array, at?: number): number;
  /** The values and the first derivatives at once, each from place `at` on; returns `first`. */
  evaluateBoth(x: number, values: Float64Array, slopes: Float64Array, at: number): number;
  /** The derivatives of all functions by tfjs operators, float32: shape [...x.shape, size]. */
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
