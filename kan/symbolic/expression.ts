import * as tf from "@tensorflow/tfjs";
import {
  isConstantNode,
  isFunctionNode,
  isOperatorNode,
  isParenthesisNode,
  isSymbolNode,
  type MathNode,
  parse,
} from "mathjs";
import type { Tensor } from "../numeric/tensor_types.ts";

/** A formula made ready to be evaluated. */
export interface Expression {
  /** What it was read as, in the syntax of math.js. */
  readonly node: MathNode;
  /** Its value at a point that has a number for each variable. */
  value(point: ArrayLike<number>): number;
  /** Its derivative with respect to the first variable. */
  slope(point: ArrayLike<number>): number;
  /** Its values by tfjs operators, where the first variable is `x`; needs to be the only one. */
  apply(x: Tensor): Tensor;
}

type Compiled = Omit<Expression, "node">;

/** A function of one argument that formulas may call. */
interface Callable {
  value(x: number): number;
  slope(x: number): number;
  apply(x: Tensor): Tensor;
}

const FUNCTIONS: ReadonlyMap<string, Callable> = new Map<string, Callable>([
  ["sqrt", { value: Math.sqrt, slope: (x) => 0.5 / Math.sqrt(x), apply: tf.sqrt }],
  ["exp", { value: Math.exp, slope: Math.exp, apply: tf.exp }],
  ["log", { value: Math.log, slope: (x) => 1 / x, apply: tf.log }],
  ["sin", { value: Math.sin, slope: Math.cos, apply: tf.sin }],
  ["cos", { value: Math.cos, slope: (x) => -Math.sin(x), apply: tf.cos }],
  ["tan", { value: Math.tan, slope: (x) => 1 / Math.cos(x) ** 2, apply: tf.tan }],
  ["asin", { value: Math.asin, slope: (x) => 1 / Math.sqrt(1 - x * x), apply: tf.asin }],
  ["acos", { value: Math.acos, slope: (x) => -1 / Math.sqrt(1 - x * x), apply: tf.acos }],
  ["atan", { value: Math.atan, slope: (x) => 1 / (1 + x * x), apply: tf.atan }],
  ["sinh", { value: Math.sinh, slope: Math.cosh, apply: tf.sinh }],
  ["cosh", { value: Math.cosh, slope: Math.sinh, apply: tf.cosh }],
  ["tanh", { value: Math.tanh, slope: (x) => 1 - Math.tanh(x) ** 2, apply: tf.tanh }],
  ["asinh", { value: Math.asinh, slope: (x) => 1 / Math.sqrt(x * x + 1), apply: tf.asinh }],
  ["acosh", { value: Math.acosh, slope: (x) => 1 / Math.sqrt(x * x - 1), apply: tf.acosh }],
  ["atanh", { value: Math.atanh, slope: (x) => 1 / (1 - x * x), apply: tf.atanh }],
  ["abs", { value: Math.abs, slope: Math.sign, apply: tf.abs }],
  ["sign", { value: Math.sign, slope: () => 0, apply: tf.sign }],
]);

const CONSTANTS: ReadonlyMap<string, number> = new Map([["pi", Math.PI], ["e", Math.E]]);

/**
 * A formula in the syntax of math.js: numbers, the variables, `pi`, `e`, + - * / ^ and the functions
 * above.
 *
 * @throws RangeError if it cannot be read, or names something else.
 */
export function readExpression(text: string, variables: readonly string[]): Expression {
  let node: MathNode;
  try {
    node = parse(text);
  } catch (error) {
    throw new RangeError(`"${text}" is not a formula: ${(error as Error).message}`);
  }
  return { node, ...compile(node, variables, text) };
}

function compile(node: MathNode, variables: readonly string[], text: string): Compiled {
  const refuse = (what: string) =>
    new RangeError(
      `"${text}" has ${what}; formulas are made of numbers, ${variables.join(", ")}, pi, e, ` +
        `+ - * / ^ and ${[...FUNCTIONS.keys()].join(", ")}`,
    );
  if (isParenthesisNode(node)) return compile(node.content, variables, text);
  if (isConstantNode(node)) {
    if (typeof node.value !== "number") throw refuse(`"${node}"`);
    return constant(node.value);
  }
  if (isSymbolNode(node)) {
    const at = variables.indexOf(node.name);
    if (at >= 0) {
      const slope = at === 0 ? 1 : 0;
      return { value: (point) => point[at]!, slope: () => slope, apply: (x) => x.mul(1) };
    }
    const known = CONSTANTS.get(node.name);
    if (known === undefined) throw refuse(`the unknown name "${node.name}"`);
    return constant(known);
  }
  if (isFunctionNode(node)) {
    const called = FUNCTIONS.get(node.fn.name);
    if (called === undefined) throw refuse(`the unknown function "${node.fn.name}"`);
    if (node.args.length !== 1) {
      throw refuse(`"${node.fn.name}" with ${node.args.length} arguments`);
    }
    return call(called, compile(node.args[0]!, variables, text));
  }
  if (isOperatorNode(node)) {
    const [a, b] = node.args.map((each) => compile(each, variables, text));
    const combined = combine(node.fn, a!, b);
    if (combined !== undefined) return combined;
    throw refuse(`the operator "${node.op}"`);
  }
  throw refuse(`"${node}"`);
}

function constant(value: number): Compiled {
  return { value: () => value, slope: () => 0, apply: (x) => tf.fill(x.shape, value) };
}

function call(f: Callable, u: Compiled): Compiled {
  return {
    value: (point) => f.value(u.value(point)),
    slope: (point) => chain(u.slope(point), () => f.slope(u.value(point))),
    apply: (x) => f.apply(u.apply(x)),
  };
}

/** inner * outer, 0 where the argument does not move, even where the outer slope is infinite. */
function chain(inner: number, outer: () => number): number {
  return inner === 0 ? 0 : inner * outer();
}

function combine(operator: string, a: Compiled, b: Compiled | undefined): Compiled | undefined {
  if (operator === "unaryMinus") {
    return {
      value: (point) => -a.value(point),
      slope: (point) => -a.slope(point),
      apply: (x) => a.apply(x).neg(),
    };
  }
  if (operator === "unaryPlus") return a;
  if (b === undefined) return undefined;
  switch (operator) {
    case "add":
      return {
        value: (point) => a.value(point) + b.value(point),
        slope: (point) => a.slope(point) + b.slope(point),
        apply: (x) => a.apply(x).add(b.apply(x)),
      };
    case "subtract":
      return {
        value: (point) => a.value(point) - b.value(point),
        slope: (point) => a.slope(point) - b.slope(point),
        apply: (x) => a.apply(x).sub(b.apply(x)),
      };
    case "multiply":
      return {
        value: (point) => a.value(point) * b.value(point),
        slope: (point) => a.slope(point) * b.value(point) + a.value(point) * b.slope(point),
        apply: (x) => a.apply(x).mul(b.apply(x)),
      };
    case "divide":
      return {
        value: (point) => a.value(point) / b.value(point),
        slope: (point) => {
          const divisor = b.value(point);
          return (a.slope(point) - a.value(point) / divisor * b.slope(point)) / divisor;
        },
        apply: (x) => a.apply(x).div(b.apply(x)),
      };
    case "pow":
      return {
        value: (point) => a.value(point) ** b.value(point),
        slope: (point) => {
          const base = a.value(point), exponent = b.value(point);
          return chain(a.slope(point), () => exponent * base ** (exponent - 1)) +
            chain(b.slope(point), () => base ** exponent * Math.log(base));
        },
        apply: (x) => powerOf(a.apply(x), b, x),
      };
    default:
      return undefined;
  }
}

/** A whole power by products: backends differ in powers of negative numbers. */
function powerOf(base: Tensor, exponent: Compiled, x: Tensor): Tensor {
  const isConstant = [-1.3, 0.7, 2.1].every((at) => exponent.slope([at]) === 0);
  const value = exponent.value([1]);
  if (!isConstant || !Number.isInteger(value) || Math.abs(value) > 16) {
    return base.pow(exponent.apply(x));
  }
  let product: Tensor = base.mul(0).add(1);
  for (let i = 0; i < Math.abs(value); i++) product = product.mul(base);
  return value < 0 ? tf.scalar(1).div(product) : product;
}
