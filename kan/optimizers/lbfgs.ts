import { requireFinite, requireNumber } from "../numeric/checks.ts";
import { searchLine } from "./line_search.ts";
import { dot, type Objective, type ValueAndGradient } from "./optimizer.ts";

/** Number of past steps that shape the next one, as in pykan. */
const HISTORY = 10;

interface Pair {
  readonly step: Float64Array;
  readonly change: Float64Array;
  readonly curvature: number;
}

/** What one iteration of {@link Lbfgs} did. */
export interface LbfgsStep<E extends ValueAndGradient> {
  /** The new parameters. */
  readonly parameters: Float64Array;
  /** The value and gradient there. */
  readonly evaluation: E;
}

/**
 * Limited-memory BFGS with a strong Wolfe line search (Nocedal & Wright, Numerical Optimization,
 * 2nd ed., algorithm 7.5); its state are the last 10 steps.
 *
 * ```ts
 * import { Lbfgs } from "@kanpress/kanpress/kan/optimizers";
 * import assert from "node:assert";
 *
 * const bowl = (x: Float64Array) => ({ value: x[0]! ** 2, gradient: x.map((each) => 2 * each) });
 * const first = Float64Array.of(3);
 * const step = await new Lbfgs().step(bowl, first, bowl(first));
 * assert.ok(step!.evaluation.value < 9);
 * ```
 */
export class Lbfgs {
  #pairs: Pair[] = [];

  /**
   * One iteration from `parameters`, where the objective is `evaluation`; undefined if no step
   * along the gradient lowers the value any more.
   *
   * @throws RangeError if a parameter, the value or its gradient is not finite.
   */
  async step<E extends ValueAndGradient>(
    objective: Objective<E>,
    parameters: Float64Array,
    evaluation: E,
  ): Promise<LbfgsStep<E> | undefined> {
    requireFinite("parameters", parameters);
    requireNumber("the value of the objective", evaluation.value);
    requireFinite("the gradient of the objective", evaluation.gradient);
    const found = await this.#search(objective, parameters, evaluation) ??
      (this.#pairs.length > 0 ? await this.#restart(objective, parameters, evaluation) : undefined);
    if (found === undefined) return undefined;
    const step = found.parameters.map((value, i) => value - parameters[i]!);
    const change = found.evaluation.gradient.map((value, i) => value - evaluation.gradient[i]!);
    const curvature = dot(step, change);
    if (curvature > Number.EPSILON * dot(change, change)) {
      this.#pairs.push({ step, change, curvature });
      if (this.#pairs.length > HISTORY) this.#pairs.shift();
    }
    return found;
  }

  #restart<E extends ValueAndGradient>(
    objective: Objective<E>,
    parameters: Float64Array,
    evaluation: E,
  ): Promise<LbfgsStep<E> | undefined> {
    this.#pairs = [];
    return this.#search(objective, parameters, evaluation);
  }

  #search<E extends ValueAndGradient>(
    objective: Objective<E>,
    parameters: Float64Array,
    evaluation: E,
  ): Promise<LbfgsStep<E> | undefined> {
    const direction = this.#direction(evaluation.gradient);
    const length = evaluation.gradient.reduce((sum, value) => sum + Math.abs(value), 0);
    const firstStep = this.#pairs.length > 0 ? 1 : Math.min(1, 1 / length);
    return searchLine(objective, parameters, evaluation, direction, firstStep);
  }

  /** The two-loop recursion: minus the inverse Hessian estimate times the gradient. */
  #direction(gradient: Float64Array): Float64Array {
    const direction = gradient.map((value) => -value);
    const shares: number[] = [];
    for (const { step, change, curvature } of this.#pairs.toReversed()) {
      const share = dot(step, direction) / curvature;
      shares.push(share);
      for (let i = 0; i < direction.length; i++) direction[i]! -= share * change[i]!;
    }
    const last = this.#pairs.at(-1);
    if (last !== undefined) {
      const scale = last.curvature / dot(last.change, last.change);
      for (let i = 0; i < direction.length; i++) direction[i]! *= scale;
    }
    for (const { step, change, curvature } of this.#pairs) {
      const correction = shares.pop()! - dot(change, direction) / curvature;
      for (let i = 0; i < direction.length; i++) direction[i]! += correction * step[i]!;
    }
    return direction;
  }
}
