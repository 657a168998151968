import * as tf from "@tensorflow/tfjs";
import type { Tensor } from "../numeric/tensor_types.ts";

/**
 * The arithmetic that the closed forms of the bases are written in, so that one text serves float64
 * numbers and tfjs tensors.
 */
export interface Arithmetic<T> {
  add(a: T, b: T): T;
  multiply(a: T, b: T): T;
  divide(a: T, b: T): T;
  scale(a: T, factor: number): T;
  exp(a: T): T;
  tanh(a: T): T;
  sin(a: T): T;
  cos(a: T): T;
  /** -1, 0 or 1. */
  sign(a: T): T;
  /** `value` in the shape of `a`. */
  constant(a: T, value: number): T;
}

/** Taylor coefficients f, f', f''/2!, ... of a function of x at one point (or tensor of points). */
export type Jet<T> = readonly T[];

/** {@link Arithmetic} on float64 numbers. */
export const numbers: Arithmetic<number> = {
  add: (a, b) => a + b,
  multiply: (a, b) => a * b,
  divide: (a, b) => a / b,
  scale: (a, factor) => a * factor,
  exp: Math.exp,
  tanh: Math.tanh,
  sin: Math.sin,
  cos: Math.cos,
  sign: Math.sign,
  constant: (_, value) => value,
};

/** {@link Arithmetic} on tensors; to be used inside `tf.tidy`. */
export const tensors: Arithmetic<Tensor> = {
  add: tf.add,
  multiply: tf.mul,
  divide: tf.div,
  scale: (a, factor) => tf.mul(a, factor),
  exp: tf.exp,
  tanh: tf.tanh,
  sin: tf.sin,
  cos: tf.cos,
  sign: tf.sign,
  constant: (a, value) => tf.fill(a.shape, value),
};

/** The jet of x / width at x, up to the given derivative. */
export function variable<T>(on: Arithmetic<T>, x: T, derivative: number, width = 1): Jet<T> {
  return Array.from({ length: derivative + 1 }, (_, n) => {
    return n === 0 ? on.scale(x, 1 / width) : on.constant(x, n === 1 ? 1 / width : 0);
  });
}

/** The jet of a constant with as many terms as `like`. */
export function constant<T>(on: Arithmetic<T>, like: Jet<T>, value: number): Jet<T> {
  return like.map((term, n) => on.constant(term, n === 0 ? value : 0));
}

/** a + factor * b. */
export function addScaled<T>(on: Arithmetic<T>, a: Jet<T>, b: Jet<T>, factor: number): Jet<T> {
  return a.map((term, n) => on.add(term, on.scale(b[n]!, factor)));
}

/** a * b, by the Cauchy product. */
export function multiply<T>(on: Arithmetic<T>, a: Jet<T>, b: Jet<T>): Jet<T> {
  return a.map((_, n) => convolve(on, a, b, n));
}

/** a / b. */
export function divide<T>(on: Arithmetic<T>, a: Jet<T>, b: Jet<T>): Jet<T> {
  const quotient: T[] = [];
  for (let n = 0; n < a.length; n++) {
    let rest: T = a[n] as T;
    for (let i = 0; i < n; i++) {
      rest = on.add(rest, on.scale(on.multiply(quotient[i]!, b[n - i]!), -1));
    }
    quotient.push(on.divide(rest, b[0]!));
  }
  return quotient;
}

/** exp(a), from e' = a' e. */
export function exp<T>(on: Arithmetic<T>, a: Jet<T>): Jet<T> {
  const result = [on.exp(a[0]!)];
  for (let n = 1; n < a.length; n++) {
    let sum = on.constant(a[0]!, 0);
    for (let i = 1; i <= n; i++) {
      sum = on.add(sum, on.scale(on.multiply(a[i]!, result[n - i]!), i / n));
    }
    result.push(sum);
  }
  return result;
}

/** tanh(x) of the plain variable x, from t' = 1 - t^2. */
export function tanh<T>(on: Arithmetic<T>, x: Jet<T>): Jet<T> {
  const result = [on.tanh(x[0]!)];
  for (let n = 1; n < x.length; n++) {
    const square = convolve(on, result, result, n - 1);
    const slope = n === 1
      ? on.add(on.constant(square, 1), on.scale(square, -1))
      : on.scale(square, -1);
    result.push(on.scale(slope, 1 / n));
  }
  return result;
}

/** |a|; at a zero of `a` the slope counts as 0. */
export function absolute<T>(on: Arithmetic<T>, a: Jet<T>): Jet<T> {
  const sign = on.sign(a[0]!);
  return a.map((term) => on.multiply(term, sign));
}

/** The sum over i = 0..n of a_i b_(n - i). */
function convolve<T>(on: Arithmetic<T>, a: Jet<T>, b: Jet<T>, n: number): T {
  let sum = on.multiply(a[0]!, b[n]!);
  for (let i = 1; i <= n; i++) sum = on.add(sum, on.multiply(a[i]!, b[n - i]!));
  return sum;
}
