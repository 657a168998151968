import * as tf from "@tensorflow/tfjs";
import { isSymbolNode, type MathNode, ParenthesisNode, parse } from "mathjs";
import {
  probesOf,
  registerSymbolicFunction,
  type SymbolicFunction,
} from "../model/symbolic_functions.ts";
import { requireNumber } from "../numeric/checks.ts";
import type { Tensor } from "../numeric/tensor_types.ts";
import { readExpression } from "./expression.ts";

/** A function of the program's own, for {@link addSymbolicFunction}. */
export interface OwnFunction {
  /** Its name: what edges, suggestions and files call it. Letters, digits and `_` with `value`. */
  readonly name: string;
  /**
   * What it computes, a formula in `x` in the syntax of math.js: numbers, pi, e, + - * / ^, abs,
   * sign, sqrt, exp, log and the circular and hyperbolic functions and their inverses. Give this, or
   * `value`.
   */
  readonly expression?: string;
  /** What it computes, in float64, for arguments in its domain. */
  readonly value?: (x: number) => number;
  /** The derivative of `value`; by differences, to about ten digits, if omitted. */
  readonly slope?: (x: number) => number;
  /**
   * `value` by differentiable tfjs operators. If absent, tfjs calls `value` and `slope`, which needs
   * a backend whose tensors can be read at once: the CPU or WASM.
   */
  readonly apply?: (x: Tensor) => Tensor;
  /**
   * Where it is defined, e.g. [1, Infinity] for the inverse of cosh; everywhere if omitted. Arguments
   * outside count as the nearest end, and suggestions keep to the inside.
   */
  readonly domain?: readonly [number, number];
  /** Where it is infinite; arguments within 1e-4 count as that far away, so that it stays finite. */
  readonly poles?: readonly number[];
  /** How readers weigh it: x is 1, sin and exp are 2, cosh is 5; 3 if omitted. */
  readonly complexity?: number;
  /** What LaTeX writes for a function given by `value`, e.g. `J_0`; its name if omitted. */
  readonly latexName?: string;
}

/** How near to a pole arguments come. */
const POLE = 1e-4;

/**
 * Makes a function known to every function that takes the name of one: `suggestSymbolic`,
 * `fixSymbolic`, `autoSymbolic`, `formulaOf`, `Kan`, and `decodeKan` of a model that uses it.
 *
 * Suggestions compare with it only where it is named, in `functions` or `moreFunctions`: adding a
 * function changes no result of a call that does not. A name keeps its meaning: adding the same
 * again does nothing, another function of the same name is refused. A worker or another program that
 * reads the model adds it too.
 *
 * @throws RangeError if the name is taken, the formula cannot be read, or the function is not finite
 * in its domain.
 *
 * ```ts
 * import { addSymbolicFunction, suggestForCurve } from "@kanpress/kanpress/kan/symbolic";
 * import assert from "node:assert";
 *
 * addSymbolicFunction({ name: "lorentz", expression: "1 / (1 + x^2)" });
 * const x = Float64Array.from({ length: 50 }, (_, i) => i / 10 - 2);
 * const y = x.map((each) => 5 / (1 + (2 * each - 1) ** 2));
 * const [best] = suggestForCurve(x, y, { moreFunctions: ["lorentz"] });
 * assert.equal(best!.edge.name, "lorentz");
 * ```
 */
export function addSymbolicFunction(own: OwnFunction): SymbolicFunction {
  const { name, domain = [-Infinity, Infinity], poles = [], complexity = 3, latexName } = own;
  if (typeof name !== "string" || name === "") throw new RangeError("the function needs a name");
  if (!(domain[0] < domain[1])) {
    throw new RangeError(`the domain of "${name}" must ascend, got [${domain}]`);
  }
  requireNumber(`the complexity of "${name}"`, complexity, { least: 0 });
  poles.forEach((pole) => requireNumber(`the poles of "${name}"`, pole));
  if ((own.expression === undefined) === (own.value === undefined)) {
    throw new RangeError(`"${name}" needs either an expression or a value`);
  }
  const { value, slope, apply, format } = own.expression === undefined
    ? fromCode(own, own.value!)
    : fromExpression(own.expression);
  const added: SymbolicFunction = {
    name,
    complexity,
    domain: [domain[0], domain[1]],
    value: (x) => value(awayFrom(poles, x)),
    slope: (x) => awayFrom(poles, x) === x ? slope(x) : 0,
    apply: (x) => apply(awayFromTensor(poles, x)),
    format,
    ...(own.expression === undefined && { latexName: latexName ?? `\\mathrm{${name}}` }),
  };
  for (const x of probesOf(added.domain)) {
    const [at, steep] = [added.value(x), added.slope(x)];
    if (Number.isFinite(at) && Number.isFinite(steep)) continue;
    throw new RangeError(
      `"${name}" is ${at} with slope ${steep} at ${x}; give the domain in which it is finite`,
    );
  }
  return registerSymbolicFunction(added);
}

type Parts = Pick<SymbolicFunction, "value" | "slope" | "apply" | "format">;

function fromExpression(text: string): Parts {
  const { node, value, slope, apply } = readExpression(text, ["x"]);
  return {
    value: (x) => value([x]),
    slope: (x) => slope([x]),
    apply,
    format(argument) {
      const inner = new ParenthesisNode(parse(argument));
      const isVariable = (part: MathNode) => isSymbolNode(part) && part.name === "x";
      return `(${node.transform((part: MathNode) => isVariable(part) ? inner : part)})`;
    },
  };
}

function fromCode(own: OwnFunction, value: (x: number) => number): Parts {
  const { name } = own;
  if (!/^[A-Za-z]\w*$/.test(name)) {
    throw new RangeError(`"${name}" must be letters, digits and _ to stand in a formula`);
  }
  const slope = own.slope ?? ((x: number) => differenceQuotient(value, x));
  return {
    value,
    slope,
    apply: own.apply ?? ((x) => applyByCalls(x, value, slope)),
    format: (argument) => `${name}(${argument})`,
  };
}

/** The slope by central differences over two steps, whose errors of second order cancel. */
function differenceQuotient(f: (x: number) => number, x: number): number {
  const step = 1e-3 * Math.max(1, Math.abs(x));
  const over = (h: number) => (f(x + h) - f(x - h)) / (2 * h);
  const quotient = (4 * over(step / 2) - over(step)) / 3;
  if (Number.isFinite(quotient)) return quotient;
  // At an end of the domain only one side is there.
  const small = step * 1e-3;
  const oneSided = [(f(x + small) - f(x)) / small, (f(x) - f(x - small)) / small];
  return oneSided.find(Number.isFinite) ?? NaN;
}

/** `value` of every element, with its gradient, computed outside tfjs. */
function applyByCalls(
  x: Tensor,
  value: (x: number) => number,
  slope: (x: number) => number,
): Tensor {
  const map = (tensor: Tensor, f: (x: number) => number) =>
    tf.tensor(Float32Array.from(tensor.dataSync(), (each) => f(each)), tensor.shape);
  const op = tf.customGrad((input, save) => {
    const tensor = input as Tensor;
    (save as (tensors: Tensor[]) => void)([tensor]);
    return {
      value: map(tensor, value),
      gradFunc: (dy: Tensor, saved: Tensor[]) => dy.mul(map(saved[0]!, slope)),
    };
  });
  return op(x);
}

function awayFrom(poles: readonly number[], x: number): number {
  for (const pole of poles) {
    if (Math.abs(x - pole) < POLE) return x < pole ? pole - POLE : pole + POLE;
  }
  return x;
}

function awayFromTensor(poles: readonly number[], x: Tensor): Tensor {
  return poles.reduce((moved: Tensor, pole) => {
    const distance = moved.sub(pole), sign = distance.sign();
    // 1 at the pole itself; comparisons have no gradient in tfjs, signs have.
    const side = sign.add(1).sub(sign.abs());
    return tf.maximum(distance.abs(), POLE).mul(side).add(pole);
  }, x);
}
