import { requireFinite, requireInteger, requireNumber } from "../numeric/checks.ts";

/** The running moments of Adam; a plain value, so that it can be saved and refined. */
export interface AdamState {
  /** Number of steps taken. */
  readonly step: number;
  /** Running mean of the gradient. */
  readonly first: Float64Array;
  /** Running mean of its square. */
  readonly second: Float64Array;
}

/** Constants of Adam. */
export interface AdamOptions {
  /** Size of a step, above 0. */
  readonly learningRate: number;
  /** Decay of the first moment; .9 if omitted. */
  readonly beta1?: number;
  /** Decay of the second moment; .999 if omitted. */
  readonly beta2?: number;
  /** Added to the root of the second moment; 1e-8 if omitted. */
  readonly epsilon?: number;
}

/** Throws a RangeError unless the moments are finite and the second ones not negative. */
export function requireAdamState({ step, first, second }: AdamState): void {
  requireInteger("the step of adamState", step, 0);
  requireFinite("the first moments of adamState", first);
  requireFinite("the second moments of adamState", second);
  if (second.some((value) => value < 0)) {
    throw new RangeError("the second moments of adamState must not be negative");
  }
}

/**
 * One step of Adam (Kingma & Ba 2015, arXiv:1412.6980) with bias correction. Without a state, the
 * moments begin at 0.
 *
 * @throws RangeError if a number is out of its range or not finite, or lengths differ.
 *
 * ```ts
 * import { stepAdam } from "@kanpress/kanpress/kan/optimizers";
 * import assert from "node:assert";
 *
 * const { parameters } = stepAdam(Float64Array.of(1), Float64Array.of(5), { learningRate: 0.1 });
 * assert.ok(Math.abs(parameters[0]! - 0.9) < 1e-8);
 * ```
 */
export function stepAdam(
  parameters: Float64Array,
  gradient: Float64Array,
  options: AdamOptions,
  state?: AdamState,
): { parameters: Float64Array; state: AdamState } {
  const { learningRate, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 } = options;
  requireNumber("learningRate", learningRate, { above: 0 });
  for (const [name, beta] of [["beta1", beta1], ["beta2", beta2]] as const) {
    requireNumber(name, beta, { least: 0 });
    if (beta >= 1) throw new RangeError(`${name} must be below 1, got ${beta}`);
  }
  requireNumber("epsilon", epsilon, { least: 0 });
  requireFinite("parameters", parameters);
  requireFinite("gradient", gradient);
  if (state !== undefined) requireAdamState(state);
  for (const values of [gradient, state?.first ?? gradient, state?.second ?? gradient]) {
    if (values.length === parameters.length) continue;
    throw new RangeError(
      `the gradient and moments must have ${parameters.length} values, got ${values.length}`,
    );
  }
  const step = (state?.step ?? 0) + 1;
  const first = new Float64Array(parameters.length), second = new Float64Array(parameters.length);
  const correction1 = 1 - beta1 ** step, correction2 = 1 - beta2 ** step;
  const moved = parameters.map((parameter, i) => {
    first[i] = beta1 * (state?.first[i] ?? 0) + (1 - beta1) * gradient[i]!;
    second[i] = beta2 * (state?.second[i] ?? 0) + (1 - beta2) * gradient[i]! ** 2;
    const root = Math.sqrt(second[i]! / correction2);
    return parameter - learningRate * (first[i]! / correction1) / (root + epsilon);
  });
  return { parameters: moved, state: { step, first, second } };
}
