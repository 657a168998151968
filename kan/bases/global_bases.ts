import { requireFinite, requireInteger, requireNumber, requireRange } from "../numeric/checks.ts";
import {
  type Basis,
  type BasisDescription,
  type Extrapolation,
  requireExtrapolation,
} from "./basis.ts";

/** More functions than anyone needs: descriptions come from files, too. */
const MOST_FUNCTIONS = 1 << 16;

/** Equally spaced copies of one function. */
export interface TranslatesOptions {
  /** Number of centres, at least 2; 8 if omitted. */
  readonly count?: number;
  /** First and last centre, ascending; [-2, 2] if omitted. */
  readonly range?: readonly [number, number];
  /** Width of the function, above 0; the distance of the centres if omitted. */
  readonly width?: number;
  /** What happens outside `range`; `"zero"` (the functions as they are) if omitted. */
  readonly extrapolation?: Extrapolation;
}

/**
 * Gaussian radial functions exp(-((x - centre) / width)^2); the defaults are those of FastKAN
 * (Li 2024, arXiv:2405.06721): 8 centres on [-2, 2], width 4/7.
 *
 * @throws RangeError if an option is out of its range.
 *
 * ```ts
 * import { createGaussians, evaluateBasis } from "@kanpress/kanpress/kan/bases";
 * import assert from "node:assert";
 *
 * const basis = createGaussians();
 * const values = new Float64Array(basis.size);
 * evaluateBasis(basis, -2, 0, values);
 * assert.ok(values[0] === 1 && Math.abs(values[1]! - Math.exp(-1)) < 1e-12);
 * ```
 */
export function createGaussians(options: TranslatesOptions = {}): Basis {
  return createTranslates("gaussian", options);
}

/**
 * Mexican-hat wavelets 2 / (sqrt 3 pi^(1/4)) (1 - u^2) exp(-u^2 / 2), u = (x - centre) / width, the
 * mother wavelet of Wav-KAN (Bozorgasl & Chen 2024, arXiv:2405.12832) on fixed centres.
 *
 * @throws RangeError if an option is out of its range.
 *
 * ```ts
 * import { createMexicanHats } from "@kanpress/kanpress/kan/bases";
 * import assert from "node:assert";
 *
 * assert.equal(createMexicanHats({ count: 5 }).size, 5);
 * ```
 */
export function createMexicanHats(options: TranslatesOptions = {}): Basis {
  return createTranslates("mexican-hat", options);
}

/**
 * Chebyshev polynomials T_0 .. T_degree of tanh x, as in ChebyKAN (SS 2024, arXiv:2405.07200).
 *
 * @throws RangeError if `degree` is not an integer of at least 0.
 *
 * ```ts
 * import { createChebyshev, evaluateBasis } from "@kanpress/kanpress/kan/bases";
 * import assert from "node:assert";
 *
 * const values = new Float64Array(4);
 * evaluateBasis(createChebyshev(3), 0.5, 0, values);
 * assert.ok(Math.abs(values[3]! - Math.cos(3 * Math.acos(Math.tanh(0.5)))) < 1e-12);
 * ```
 */
export function createChebyshev(degree: number): Basis {
  requireInteger("degree", degree, 0, MOST_FUNCTIONS);
  return createSequence({ kind: "chebyshev", degree }, degree + 1);
}

/**
 * 1, cos(w x), sin(w x), ..., cos(K w x), sin(K w x) with w = 2 pi / period.
 *
 * @param frequencies K, an integer of at least 1.
 * @param period Above 0; 2 pi if omitted.
 * @throws RangeError if an argument is out of its range.
 *
 * ```ts
 * import { createFourier } from "@kanpress/kanpress/kan/bases";
 * import assert from "node:assert";
 *
 * assert.equal(createFourier(4).size, 9);
 * ```
 */
export function createFourier(frequencies: number, period: number = 2 * Math.PI): Basis {
  requireInteger("frequencies", frequencies, 1, MOST_FUNCTIONS);
  requireNumber("period", period, { above: 0 });
  return createSequence({ kind: "fourier", frequencies, period }, 2 * frequencies + 1);
}

/** What {@link createRationals} needs. */
export interface RationalsOptions {
  /** Highest power m of the numerator, an integer of at least 0; 5 if omitted. */
  readonly degree?: number;
  /** Coefficients q_1 .. q_n of the denominator; [0, 0, 0, 1] if omitted. */
  readonly denominator?: readonly number[];
}

/**
 * The powers x^0 .. x^m over 1 + |q_1 x + ... + q_n x^n|: sums of them are the pole-free Padé
 * activations of the Kolmogorov-Arnold transformer (Yang & Wang 2024, arXiv:2409.10594) with a fixed
 * denominator.
 *
 * @throws RangeError if an option is out of its range.
 *
 * ```ts
 * import { createRationals, evaluateBasis } from "@kanpress/kanpress/kan/bases";
 * import assert from "node:assert";
 *
 * const values = new Float64Array(3);
 * evaluateBasis(createRationals({ degree: 2, denominator: [0, 1] }), 2, 0, values);
 * assert.deepEqual([...values], [1 / 5, 2 / 5, 4 / 5]);
 * ```
 */
export function createRationals(options: RationalsOptions = {}): Basis {
  const { degree = 5, denominator = [0, 0, 0, 1] } = options;
  requireInteger("degree", degree, 0, MOST_FUNCTIONS);
  requireFinite("denominator", denominator);
  const description = { kind: "rational", degree, denominator: [...denominator] } as const;
  return createSequence(description, degree + 1);
}

function createTranslates(
  kind: "gaussian" | "mexican-hat",
  options: TranslatesOptions,
): Basis {
  const { count = 8, range = [-2, 2], extrapolation = "zero" } = options;
  requireInteger("count", count, 2, MOST_FUNCTIONS);
  requireExtrapolation(extrapolation);
  const [start, end] = range;
  requireRange("range", range);
  const { width = (end - start) / (count - 1) } = options;
  requireNumber("width", width, { above: 0 });
  return {
    size: count,
    support: count,
    domain: range,
    extrapolation,
    description: { kind, count, range, width, extrapolation },
  };
}

function createSequence(description: BasisDescription, size: number): Basis {
  return {
    size,
    support: size,
    domain: [-Infinity, Infinity],
    extrapolation: "zero",
    description,
  };
}
