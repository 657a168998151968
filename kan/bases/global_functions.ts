import * as tf from "@tensorflow/tfjs";
import type { BasisDescription, BasisFunctions } from "./basis.ts";
import * as jets from "./jet.ts";
import type { Arithmetic, Jet } from "./jet.ts";

// Each basis has two texts: one in jets, for tensors and any derivative, and a plain loop for values
// and slopes in float64, several times faster. A test holds them together.

type Translates = Extract<BasisDescription, { kind: "gaussian" | "mexican-hat" }>;
type Sequence = Extract<BasisDescription, { kind: "chebyshev" | "fourier" | "rational" }>;
type EvaluateBoth = (x: number, values: Float64Array, slopes: Float64Array, at: number) => void;

/** The height that makes the square of a Mexican hat integrate to 1. */
const HAT_HEIGHT = 2 / (Math.sqrt(3) * Math.PI ** 0.25);

/** How equally spaced copies of one function are computed. */
export function translateFunctions({ kind, count, range, width }: Translates): BasisFunctions {
  const [start, end] = range, step = (end - start) / (count - 1);
  const centers = Array.from({ length: count }, (_, i) => start + i * step);
  const mother = kind === "gaussian" ? gaussian : mexicanHat;
  const evaluateBoth: EvaluateBoth = (x, values, slopes, at) => {
    for (let i = 0; i < count; i++) {
      const u = (x - centers[i]!) / width, square = u * u;
      if (kind === "gaussian") {
        const value = Math.exp(-square);
        values[at + i] = value;
        slopes[at + i] = -2 * u * value / width;
      } else {
        const bell = HAT_HEIGHT * Math.exp(-0.5 * square);
        values[at + i] = (1 - square) * bell;
        slopes[at + i] = u * (square - 3) * bell / width;
      }
    }
  };
  return {
    ...plainFunctions(count, evaluateBoth, (x, derivative) =>
      centers.map((center) => {
        return mother(jets.numbers, jets.variable(jets.numbers, x - center, derivative, width));
      })),
    expand: (x, derivative) =>
      tf.tidy(() => {
        const distance = x.expandDims(-1).sub(tf.tensor1d(centers));
        const u = jets.variable(jets.tensors, distance, derivative, width);
        return mother(jets.tensors, u)[derivative]!.mul(factorial(derivative));
      }),
  };
}

/** How Chebyshev polynomials, Fourier series and rational functions are computed. */
export function sequenceFunctions(description: Sequence): BasisFunctions {
  const [size, evaluateBoth, terms] = sequenceOf(description);
  const termsAt = <T>(on: Arithmetic<T>, x: T, derivative: number) =>
    terms(on, jets.variable(on, x, derivative));
  return {
    ...plainFunctions(size, evaluateBoth, (x, derivative) => termsAt(jets.numbers, x, derivative)),
    expand: (x, derivative) =>
      tf.tidy(() => {
        const last = termsAt(jets.tensors, x, derivative).map((term) => term[derivative]!);
        return tf.stack(last, x.rank).mul(factorial(derivative));
      }),
  };
}

type Terms = <T>(on: Arithmetic<T>, x: Jet<T>) => readonly Jet<T>[];

function sequenceOf(description: Sequence): readonly [number, EvaluateBoth, Terms] {
  switch (description.kind) {
    case "chebyshev": {
      const { degree } = description;
      return [
        degree + 1,
        (x, values, slopes, at) => evaluateChebyshev(degree, x, values, slopes, at),
        (on, x) => chebyshev(on, x, degree),
      ];
    }
    case "fourier": {
      const { frequencies, period } = description;
      return [
        2 * frequencies + 1,
        (x, values, slopes, at) => evaluateFourier(frequencies, period, x, values, slopes, at),
        (on, x) => fourier(on, x, frequencies, period),
      ];
    }
    case "rational": {
      const { degree, denominator } = description;
      return [
        degree + 1,
        (x, values, slopes, at) => evaluateRationals(degree, denominator, x, values, slopes, at),
        (on, x) => rationals(on, x, degree, denominator),
      ];
    }
  }
}

/** All but the tensors: by `evaluateBoth`, and by the jets of each function for higher derivatives. */
function plainFunctions(
  size: number,
  evaluateBoth: EvaluateBoth,
  jetsAt: (x: number, derivative: number) => readonly Jet<number>[],
): Omit<BasisFunctions, "expand"> {
  const values = new Float64Array(size), slopes = new Float64Array(size);
  return {
    evaluate(x, derivative, out, at = 0) {
      if (derivative > 1) {
        jetsAt(x, derivative).forEach((jet, i) => {
          out[at + i] = jet[derivative]! * factorial(derivative);
        });
        return 0;
      }
      evaluateBoth(x, values, slopes, 0);
      const wanted = derivative === 0 ? values : slopes;
      for (let i = 0; i < size; i++) out[at + i] = wanted[i]!;
      return 0;
    },
    evaluateBoth(x, values, slopes, at) {
      evaluateBoth(x, values, slopes, at);
      return 0;
    },
  };
}

function gaussian<T>(on: Arithmetic<T>, u: Jet<T>): Jet<T> {
  return jets.exp(on, scaled(on, jets.multiply(on, u, u), -1));
}

function mexicanHat<T>(on: Arithmetic<T>, u: Jet<T>): Jet<T> {
  const square = jets.multiply(on, u, u);
  const bell = jets.exp(on, scaled(on, square, -0.5));
  const factor = jets.addScaled(on, jets.constant(on, u, 1), square, -1);
  return scaled(on, jets.multiply(on, factor, bell), HAT_HEIGHT);
}

function chebyshev<T>(on: Arithmetic<T>, x: Jet<T>, degree: number): readonly Jet<T>[] {
  const t = jets.tanh(on, x);
  const terms = [jets.constant(on, x, 1), t];
  while (terms.length <= degree) {
    const double = scaled(on, jets.multiply(on, t, terms.at(-1)!), 2);
    terms.push(jets.addScaled(on, double, terms.at(-2)!, -1));
  }
  return terms.slice(0, degree + 1);
}

function evaluateChebyshev(
  degree: number,
  x: number,
  values: Float64Array,
  slopes: Float64Array,
  at: number,
): void {
  const t = Math.tanh(x), inner = 1 - t * t;
  values[at] = 1;
  slopes[at] = 0;
  if (degree === 0) return;
  values[at + 1] = t;
  slopes[at + 1] = inner;
  for (let n = at + 2; n <= at + degree; n++) {
    values[n] = 2 * t * values[n - 1]! - values[n - 2]!;
    slopes[n] = 2 * (inner * values[n - 1]! + t * slopes[n - 1]!) - slopes[n - 2]!;
  }
}

function fourier<T>(
  on: Arithmetic<T>,
  x: Jet<T>,
  frequencies: number,
  period: number,
): readonly Jet<T>[] {
  const terms: Jet<T>[] = [jets.constant(on, x, 1)];
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
}

function evaluateFourier(
  frequencies: number,
  period: number,
  x: number,
  values: Float64Array,
  slopes: Float64Array,
  at: number,
): void {
  values[at] = 1;
  slopes[at] = 0;
  for (let k = 1; k <= frequencies; k++) {
    const rate = 2 * Math.PI * k / period, cosine = Math.cos(rate * x), sine = Math.sin(rate * x);
    const place = at + 2 * k - 1;
    values[place] = cosine;
    values[place + 1] = sine;
    slopes[place] = -rate * sine;
    slopes[place + 1] = rate * cosine;
  }
}

function rationals<T>(
  on: Arithmetic<T>,
  x: Jet<T>,
  degree: number,
  denominator: readonly number[],
): readonly Jet<T>[] {
  const powers: Jet<T>[] = [jets.constant(on, x, 1)];
  const highest = Math.max(degree, denominator.length);
  while (powers.length <= highest) powers.push(jets.multiply(on, powers.at(-1)!, x));
  let polynomial = jets.constant(on, x, 0);
  denominator.forEach((coefficient, i) => {
    if (coefficient === 0) return;
    polynomial = jets.addScaled(on, polynomial, powers[i + 1]!, coefficient);
  });
  const below = jets.addScaled(on, powers[0]!, jets.absolute(on, polynomial), 1);
  return powers.slice(0, degree + 1).map((power) => jets.divide(on, power, below));
}

function evaluateRationals(
  degree: number,
  denominator: readonly number[],
  x: number,
  values: Float64Array,
  slopes: Float64Array,
  at: number,
): void {
  // Horner's scheme for the polynomial without its first factor x, and for its slope.
  let rest = 0, restSlope = 0;
  for (let i = denominator.length - 1; i >= 0; i--) {
    restSlope = restSlope * x + rest;
    rest = rest * x + denominator[i]!;
  }
  const polynomial = rest * x, slope = restSlope * x + rest;
  const below = 1 + Math.abs(polynomial), belowSlope = Math.sign(polynomial) * slope;
  let power = 1, powerSlope = 0;
  for (let n = 0; n <= degree; n++) {
    values[at + n] = power / below;
    slopes[at + n] = (powerSlope - power / below * belowSlope) / below;
    powerSlope = powerSlope * x + power;
    power *= x;
  }
}

function scaled<T>(on: Arithmetic<T>, jet: Jet<T>, factor: number): Jet<T> {
  return jet.map((term) => on.scale(term, factor));
}

function factorial(n: number): number {
  let product = 1;
  for (let i = 2; i <= n; i++) product *= i;
  return product;
}
