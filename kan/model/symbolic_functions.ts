import * as tf from "@tensorflow/tfjs";
import type { Tensor } from "../numeric/tensor_types.ts";

/** A named function of one variable that an edge can be replaced by. */
export interface SymbolicFunction {
  /** The name, unique in the library, e.g. `"sin"` or `"x^2"`. */
  readonly name: string;
  /** How readers weigh it, as in pykan: 0 for a constant, 1 for a line, up to 5. */
  readonly complexity: number;
  /** Where it is defined; arguments outside count as the nearest end. */
  readonly domain: readonly [number, number];
  /** The value in float64, for an argument in the domain. */
  value(x: number): number;
  /** The derivative in float64, for an argument in the domain. */
  slope(x: number): number;
  /** The value by tfjs operators, differentiable. */
  apply(x: Tensor): Tensor;
  /** The formula with `argument` put in, in the syntax of math.js. */
  format(argument: string): string;
  /** What LaTeX writes for the name, if the formula shows it. */
  readonly latexName?: string;
}

/** The distance from 0 within which arguments of functions with a pole there count as this far. */
const POLE = 1e-4;
/** Arguments of exponentials end here, so that float32 does not overflow. */
const EXP_LIMIT = 40;
const EVERYWHERE = [-Infinity, Infinity] as const;
const POSITIVE = [0, Infinity] as const;
/** Ends short of the singularity, so that slopes stay finite. */
const FROM_POLE = [POLE, Infinity] as const;
const UNIT = [-1 + 1e-6, 1 - 1e-6] as const;

function awayFromPole(x: number): number {
  return Math.abs(x) >= POLE ? x : x < 0 ? -POLE : POLE;
}

function awayFromPoleTensor(x: Tensor): Tensor {
  // 1 at 0; comparisons have no gradient in tfjs, signs have.
  const sign = x.sign().add(1).sub(x.sign().abs());
  return tf.maximum(x.abs(), POLE).mul(sign);
}

function power(exponent: number, complexity: number): SymbolicFunction {
  return {
    name: exponent === 1 ? "x" : `x^${exponent}`,
    complexity,
    domain: EVERYWHERE,
    value: (x) => x ** exponent,
    slope: (x) => exponent * x ** (exponent - 1),
    // Never x itself, which tfjs could not differentiate.
    apply: (x) => Array.from({ length: exponent - 1 }).reduce<Tensor>((y) => y.mul(x), x.mul(1)),
    format: (x) => exponent === 1 ? `(${x})` : `(${x})^${exponent}`,
  };
}

function reciprocal(exponent: number, complexity: number): SymbolicFunction {
  const positive = power(exponent, complexity);
  return {
    name: exponent === 1 ? "1/x" : `1/x^${exponent}`,
    complexity,
    domain: EVERYWHERE,
    value: (x) => awayFromPole(x) ** -exponent,
    slope: (x) => Math.abs(x) < POLE ? 0 : -exponent * x ** (-exponent - 1),
    // The power comes last: the slope of 1 / x^5 would overflow float32 near the pole.
    apply: (x) => positive.apply(tf.scalar(1).div(awayFromPoleTensor(x))),
    format: (x) => `1/${positive.format(x)}`,
  };
}

/** A function whose name in math.js and whose method in tfjs are plain. */
function named(
  name: string,
  complexity: number,
  value: (x: number) => number,
  slope: (x: number) => number,
  apply: (x: Tensor) => Tensor,
  domain: readonly [number, number] = EVERYWHERE,
): SymbolicFunction {
  return { name, complexity, domain, value, slope, apply, format: (x) => `${name}(${x})` };
}

/**
 * The functions that edges are compared with; complexities are pykan's. Each is finite for every
 * finite argument: poles are cut at 1e-4, exponentials at 40.
 *
 * ```ts
 * import { symbolicFunctions } from "@kanpress/kanpress/kan/symbolic";
 * import assert from "node:assert";
 *
 * const sine = symbolicFunctions.find((each) => each.name === "sin")!;
 * assert.equal(sine.format("3 * x"), "sin(3 * x)");
 * ```
 */
export const symbolicFunctions: readonly SymbolicFunction[] = [
  {
    name: "0",
    complexity: 0,
    domain: EVERYWHERE,
    value: () => 0,
    slope: () => 0,
    apply: (x) => x.mul(0),
    format: () => "0",
  },
  power(1, 1),
  power(2, 2),
  power(3, 3),
  power(4, 3),
  power(5, 3),
  reciprocal(1, 2),
  reciprocal(2, 2),
  reciprocal(3, 3),
  reciprocal(4, 4),
  reciprocal(5, 5),
  named("sqrt", 2, Math.sqrt, (x) => 0.5 / Math.sqrt(x), tf.sqrt, [POLE * POLE, Infinity]),
  {
    name: "x^1.5",
    complexity: 4,
    domain: POSITIVE,
    value: (x) => x ** 1.5,
    slope: (x) => 1.5 * Math.sqrt(x),
    apply: (x) => tf.sqrt(tf.maximum(x, POLE * POLE)).mul(x),
    format: (x) => `(${x})^1.5`,
  },
  {
    name: "1/sqrt",
    complexity: 2,
    domain: FROM_POLE,
    value: (x) => 1 / Math.sqrt(x),
    slope: (x) => -0.5 * x ** -1.5,
    apply: (x) => tf.scalar(1).div(tf.sqrt(x)),
    format: (x) => `1/sqrt(${x})`,
  },
  named("exp", 2, Math.exp, Math.exp, tf.exp, [-Infinity, EXP_LIMIT]),
  named("log", 2, Math.log, (x) => 1 / x, tf.log, FROM_POLE),
  named("abs", 3, Math.abs, Math.sign, tf.abs),
  named("sin", 2, Math.sin, Math.cos, tf.sin),
  named("cos", 2, Math.cos, (x) => -Math.sin(x), tf.cos),
  {
    name: "tan",
    complexity: 3,
    domain: EVERYWHERE,
    value: (x) => Math.sin(x) / awayFromPole(Math.cos(x)),
    slope: (x) =>
      Math.abs(Math.cos(x)) < POLE ? Math.cos(x) / awayFromPole(Math.cos(x)) : 1 / Math.cos(x) ** 2,
    apply: (x) => tf.sin(x).div(awayFromPoleTensor(tf.cos(x))),
    format: (x) => `tan(${x})`,
  },
  named("tanh", 3, Math.tanh, (x) => 1 - Math.tanh(x) ** 2, tf.tanh),
  named("sign", 3, Math.sign, () => 0, tf.sign),
  named("asin", 4, Math.asin, (x) => 1 / Math.sqrt(1 - x * x), tf.asin, UNIT),
  named("acos", 4, Math.acos, (x) => -1 / Math.sqrt(1 - x * x), tf.acos, UNIT),
  named("atan", 4, Math.atan, (x) => 1 / (1 + x * x), tf.atan),
  named("atanh", 4, Math.atanh, (x) => 1 / (1 - x * x), tf.atanh, UNIT),
  {
    name: "gaussian",
    complexity: 3,
    domain: EVERYWHERE,
    value: (x) => Math.exp(-x * x),
    slope: (x) => -2 * x * Math.exp(-x * x),
    apply: (x) => tf.exp(x.square().neg()),
    format: (x) => `exp(-(${x})^2)`,
  },
  named("cosh", 5, Math.cosh, Math.sinh, tf.cosh, [-EXP_LIMIT, EXP_LIMIT]),
  named("sinh", 5, Math.sinh, Math.cosh, tf.sinh, [-EXP_LIMIT, EXP_LIMIT]),
];

const byName = new Map(symbolicFunctions.map((each) => [each.name, each]));

/** Functions of the program's own; a name never changes its meaning once it is here. */
const ownByName = new Map<string, SymbolicFunction>();

/**
 * Makes a function known by its name, and returns it. The same function may be registered again.
 *
 * @throws RangeError if the name stands for another function already.
 */
export function registerSymbolicFunction(added: SymbolicFunction): SymbolicFunction {
  if (byName.has(added.name)) throw new RangeError(`"${added.name}" is a function of the library`);
  const known = ownByName.get(added.name);
  if (known === undefined) {
    ownByName.set(added.name, added);
    return added;
  }
  if (!isSame(known, added)) {
    throw new RangeError(`"${added.name}" is the name of another function already; choose another`);
  }
  return known;
}

/** Whether two functions agree in all that decides about results. */
function isSame(a: SymbolicFunction, b: SymbolicFunction): boolean {
  const [start, end] = a.domain;
  if (a.complexity !== b.complexity || start !== b.domain[0] || end !== b.domain[1]) return false;
  if (a.format("x") !== b.format("x") || a.latexName !== b.latexName) return false;
  return probesOf(a.domain).every((x) =>
    Object.is(a.value(x), b.value(x)) && Object.is(a.slope(x), b.slope(x))
  );
}

/** Points inside a domain at which functions are tried. */
export function probesOf([start, end]: readonly [number, number]): number[] {
  const from = Number.isFinite(start) ? start : Number.isFinite(end) ? end - 10 : -5.3;
  const to = Number.isFinite(end) ? end : Number.isFinite(start) ? start + 10 : 5.1;
  return Array.from({ length: 16 }, (_, i) => from + (to - from) * (i + 0.5) / 16);
}

/**
 * The function with this name: of the library, or one that was added.
 *
 * @throws RangeError if there is none.
 *
 * ```ts
 * import { symbolicFunction } from "@kanpress/kanpress/kan/symbolic";
 * import assert from "node:assert";
 *
 * assert.equal(symbolicFunction("x^2").value(3), 9);
 * ```
 */
export function symbolicFunction(name: string): SymbolicFunction {
  const found = byName.get(name) ?? ownByName.get(name);
  if (found === undefined) {
    const known = [...byName.keys(), ...ownByName.keys()].join(", ");
    throw new RangeError(
      `no function "${name}"; there are: ${known}. Others are added with addSymbolicFunction`,
    );
  }
  return found;
}

/** How LaTeX writes the name of an added function; undefined for others. */
export function latexNameOf(name: string): string | undefined {
  return ownByName.get(name)?.latexName;
}

/** An edge in closed form: outputScale f(inputScale x + inputShift) + outputShift. */
export interface SymbolicEdge {
  /** The name of f in {@link symbolicFunctions}. */
  readonly name: string;
  /** a in c f(a x + b) + d. */
  readonly inputScale: number;
  /** b in c f(a x + b) + d. */
  readonly inputShift: number;
  /** c in c f(a x + b) + d. */
  readonly outputScale: number;
  /** d in c f(a x + b) + d. */
  readonly outputShift: number;
}

/** f(u) with u moved into the domain of f, and its slope (0 outside). */
export function evaluateSymbolic(
  symbolic: SymbolicFunction,
  u: number,
): { value: number; slope: number } {
  const [start, end] = symbolic.domain;
  const inside = Math.min(Math.max(u, start), end);
  return { value: symbolic.value(inside), slope: inside === u ? symbolic.slope(u) : 0 };
}

/** f(u) on tensors, with u moved into the domain of f. */
export function applySymbolic(symbolic: SymbolicFunction, u: Tensor): Tensor {
  const [start, end] = symbolic.domain;
  if (start === -Infinity && end === Infinity) return symbolic.apply(u);
  return symbolic.apply(u.clipByValue(Math.fround(start), Math.fround(end)));
}
