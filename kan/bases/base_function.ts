import * as tf from "@tensorflow/tfjs";
import type { Tensor2D } from "../numeric/tensor_types.ts";

/** The function b(x) added to the spline of every edge: x / (1 + exp(-x)), x, or nothing. */
export type BaseFunction = "silu" | "identity" | "none";

/** b and, if asked for, its slopes at each point; empty for `"none"`. */
export function evaluateBase(
  base: BaseFunction,
  points: Float64Array | Float32Array,
  wantsSlopes: boolean,
): { readonly bases: Float64Array; readonly baseSlopes: Float64Array } {
  const count = base === "none" ? 0 : points.length;
  const bases = new Float64Array(count), baseSlopes = new Float64Array(wantsSlopes ? count : 0);
  if (base === "identity") {
    bases.set(points);
    baseSlopes.fill(1);
  } else {
    for (let point = 0; point < count; point++) {
      const x = points[point]!, gate = 1 / (1 + Math.exp(-x));
      bases[point] = x * gate;
      if (wantsSlopes) baseSlopes[point] = gate * (1 + x * (1 - gate));
    }
  }
  return { bases, baseSlopes };
}

/** b of every element of a tensor, differentiable any number of times; x itself for `"identity"`. */
export function applyBase(base: BaseFunction, x: Tensor2D): Tensor2D {
  return base === "silu" ? applySilu(x, 0) : x;
}

/**
 * A derivative of silu (0: its values). Second derivatives that tfjs takes by itself of functions
 * whose gradients use their values, like sigmoids, are wrong.
 */
export function applySilu(x: Tensor2D, derivative: number): Tensor2D {
  const apply = tf.customGrad((input, save) => {
    (save as tf.GradSaveFunc)([input as tf.Tensor]);
    return {
      value: siluDerivative(input as Tensor2D, derivative),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) =>
        dy.mul(applySilu(saved[0] as Tensor2D, derivative + 1)),
    };
  });
  return apply(x) as Tensor2D;
}

/** With sigmoid s, the n-th derivative of x s(x) is x s^(n) + n s^(n-1). */
function siluDerivative(x: Tensor2D, n: number): Tensor2D {
  const gate = x.sigmoid<Tensor2D>();
  const first = x.mul<Tensor2D>(polynomial(gate, sigmoidDerivative(n)));
  return n === 0 ? first : first.add(polynomial(gate, sigmoidDerivative(n - 1)).mul(n));
}

/** The n-th derivative of a sigmoid as a polynomial in its value s: that of s is s - s^2. */
function sigmoidDerivative(n: number): number[] {
  let coefficients = [0, 1];
  for (let i = 0; i < n; i++) {
    const next = new Array<number>(coefficients.length + 1).fill(0);
    coefficients.forEach((coefficient, power) => {
      next[power]! += power * coefficient;
      next[power + 1]! -= power * coefficient;
    });
    coefficients = next;
  }
  return coefficients;
}

function polynomial(x: Tensor2D, coefficients: readonly number[]): Tensor2D {
  return coefficients.reduceRight<Tensor2D>(
    (sum, coefficient) => sum.mul<Tensor2D>(x).add(coefficient),
    tf.zerosLike(x),
  );
}
