/** A value to be minimised and its gradient. */
export interface ValueAndGradient {
  /** The value. */
  readonly value: number;
  /** The gradient, as long as the parameters. */
  readonly gradient: Float64Array;
}

/** A function of a parameter vector; it may wait for a device. */
export type Objective<E extends ValueAndGradient = ValueAndGradient> = (
  parameters: Float64Array,
) => E | Promise<E>;

/** The inner product. */
export function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
