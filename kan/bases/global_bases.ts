import { requireFinite, requireInteger, requireNumber, requireRange } from "../numeric/checks.ts";
import * as tf from "@tensorflow/tfjs";
import {
  type Basis,
  type BasisDescription,
  type Extrapolation,
  requireExtrapolation,
} from "./basis.ts";
import * as jets from "./jet.ts";
import type { Arithmetic, Jet } from "./jet.ts";

/** More functions than anyone needs: descriptions come from files, too. */
const MOST_FUNCTIONS = 1 << 16;

/** Equally spaced copies of one function. */
export interface TranslatesOptions {
  /** Number of centres, at least 2; 8 if absent. */
  readonly count?: number;
  /** First and last centre, ascending; [-2, 2] if absent. */
  readonly range?: readonly [number, number];
  /** Width of the function, above 0; the distance of the centres if absent. */
  readonly width?: number;
  /** What happens outside `range`; `"zero"` (the functions as they are) if absent. */
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
  return createTranslates("gaussian", options, (on, u) => {
    return jets.exp(on, scaled(on, jets.multiply(on, u, u), -1));
  });
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
  const height = 2 / (Math.sqrt(3) * Math.PI ** 0.25);
  return createTranslates("mexican-hat", options, (on, u) => {
    const square = jets.multiply(on, u, u);
    const bell = jets.exp(on, scaled(on, square, -0.5));
    const factor = jets.addScaled(on, jets.constant(on, u, 1), square, -1);
    return scaled(on, jets.multiply(on, factor, bell), height);
  });
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
  return createSequence({ kind: "chebyshev", degree }, degree + 1, (on, x) => {
    const t = jets.tanh(on, x);
    const terms = [jets.constant(on, x, 1), t];
    while (terms.length <= degree) {
      const double = scaled(on, jets.multiply(on, t, terms.at(-1)!), 2);
      terms.push(jets.addScaled(on, double, terms.at(-2)!, -1));
    }
    return terms.slice(0, degree + 1);
  });
}

/**
 * 1, cos(w x), sin(w x), ..., cos(K w x), sin(K w x) with w = 2 pi / period.
 *
 * @param frequencies K, an integer of at least 1.
 * @param period Above 0; 2 pi if absent.
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
  return createSequence({ kind: "fourier", frequencies, period }, 2 * frequencies + 1, (on, x) => {
    const terms = [jets.constant(on, x, 1)];
    for (let k = 1; k <= frequencies; k++) {
      const rate = 2 * Math.PI * k / period;
      const phase = on.scale(x[0]!, rate);
      const cycle = [on.cos(phase), on.scale(on.sin(phase), -1)];
      cycle.push(on.scale(cycle[0]!, -1), on.scale(cycle[1]!, -1));
      // The n-th derivative moves n steps along cos, -sin, -cos, sin; its jet term is over n!.
      const wave = (start: number) =>
        x.map((_, n) => on.scale(cycle[(start + n) % 4]!, rate ** n / factorial(n)));
      terms.push(wave(0), wave(3));
    }
    return terms;
  });
}

/** What {@link createRationals} needs. */
export interface RationalsOptions {
  /** Highest power m of the numerator, an integer of at least 0; 5 if absent. */
  readonly degree?: number;
  /** Coefficients q_1 .. q_n of the denominator; [0, 0, 0, 1] if absent. */
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
  return createSequence(description, degree + 1, (on, x) => {
    const powers = [jets.constant(on, x, 1)];
    const highest = Math.max(degree, denominator.length);
    while (powers.length <= highest) powers.push(jets.multiply(on, powers.at(-1)!, x));
    let polynomial = jets.constant(on, x, 0);
    denominator.forEach((coefficient, i) => {
      if (coefficient === 0) return;
      polynomial = jets.addScaled(on, polynomial, powers[i + 1]!, coefficient);
    });
    const below = jets.addScaled(on, powers[0]!, jets.absolute(on, polynomial), 1);
    return powers.slice(0, degree + 1).map((power) => jets.divide(on, power, below));
  });
}

function createTranslates(
  kind: "gaussian" | "mexican-hat",
  options: TranslatesOptions,
  mother: <T>(on: Arithmetic<T>, u: Jet<T>) => Jet<T>,
): Basis {
  const { count = 8, range = [-2, 2], extrapolation = "zero" } = options;
  requireInteger("count", count, 2, MOST_FUNCTIONS);
  requireExtrapolation(extrapolation);
  const [start, end] = range;
  requireRange("range", range);
  const step = (end - start) / (count - 1);
  const { width = step } = options;
  requireNumber("width", width, { above: 0 });
  const centers = Array.from({ length: count }, (_, i) => start + i * step);
  return {
    size: count,
    support: count,
    domain: range,
    extrapolation,
    description: { kind, count, range, width, extrapolation },
    evaluate(x, derivative, out) {
      centers.forEach((center, i) => {
        const u = jets.variable(jets.numbers, x - center, derivative, width);
        out[i] = mother(jets.numbers, u)[derivative]! * factorial(derivative);
      });
      return 0;
    },
    expand: (x, derivative) =>
      tf.tidy(() => {
        const distance = x.expandDims(-1).sub(tf.tensor1d(centers));
        const u = jets.variable(jets.tensors, distance, derivative, width);
        return mother(jets.tensors, u)[derivative]!.mul(factorial(derivative));
      }),
  };
}

function createSequence(
  description: BasisDescription,
  size: number,
  terms: <T>(on: Arithmetic<T>, x: Jet<T>) => readonly Jet<T>[],
): Basis {
  return {
    size,
    support: size,
    domain: [-Infinity, Infinity],
    extrapolation: "zero",
    description,
    evaluate(x, derivative, out) {
      terms(jets.numbers, jets.variable(jets.numbers, x, derivative)).forEach((term, i) => {
        out[i] = term[derivative]! * factorial(derivative);
      });
      return 0;
    },
    expand: (x, derivative) =>
      tf.tidy(() => {
        const all = terms(jets.tensors, jets.variable(jets.tensors, x, derivative));
        const last = all.map((term) => term[derivative]!);
        return tf.stack(last, x.rank).mul(factorial(derivative));
      }),
  };
}

function scaled<T>(on: Arithmetic<T>, jet: Jet<T>, factor: number): Jet<T> {
  return jet.map((term) => on.scale(term, factor));
}

function factorial(n: number): number {
  let product = 1;
  for (let i = 2; i <= n; i++) product *= i;
  return product;
}
