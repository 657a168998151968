import { dot, type Objective, type ValueAndGradient } from "./optimizer.ts";

/** A point on the search line. */
interface Probe<E extends ValueAndGradient> {
  readonly step: number;
  readonly parameters: Float64Array;
  readonly evaluation: E;
  /** Directional derivative. */
  readonly slope: number;
}

/** Where a line search ended. */
export interface LineSearchResult<E extends ValueAndGradient> {
  /** The new parameters. */
  readonly parameters: Float64Array;
  /** The value and gradient there. */
  readonly evaluation: E;
}

/** Least share of the promised decrease; Nocedal & Wright's c1. */
const DECREASE = 1e-4;
/** Largest share of the first slope left at the end; Nocedal & Wright's c2 for quasi-Newton. */
const CURVATURE = 0.9;
const MAX_EVALUATIONS = 25;

/**
 * A step along `direction` that meets the strong Wolfe conditions (Nocedal & Wright, Numerical
 * Optimization, 2nd ed., algorithms 3.5 and 3.6 with cubic interpolation); undefined if none lowers
 * the value. Values that are not finite count as too high.
 */
export async function searchLine<E extends ValueAndGradient>(
  objective: Objective<E>,
  parameters: Float64Array,
  start: E,
  direction: Float64Array,
  firstStep: number,
): Promise<LineSearchResult<E> | undefined> {
  const startSlope = dot(start.gradient, direction);
  if (!(startSlope < 0)) return undefined;
  let evaluations = 0;
  const probe = async (step: number): Promise<Probe<E>> => {
    evaluations++;
    const moved = parameters.map((parameter, i) => parameter + step * direction[i]!);
    const evaluation = await objective(moved);
    return { step, parameters: moved, evaluation, slope: dot(evaluation.gradient, direction) };
  };
  const isTooHigh = (point: Probe<E>) =>
    !(point.evaluation.value <= start.value + DECREASE * point.step * startSlope);
  const isFlat = (point: Probe<E>) => Math.abs(point.slope) <= -CURVATURE * startSlope;

  let low: Probe<E> = { step: 0, parameters, evaluation: start, slope: startSlope };
  let high: Probe<E> | undefined;
  let step = firstStep;
  while (evaluations < MAX_EVALUATIONS) {
    const next = await probe(step);
    if (isTooHigh(next) || next.evaluation.value >= low.evaluation.value) high = next;
    else if (isFlat(next)) return next;
    else {
      // In the bracketing phase the minimum lies ahead while the slope points down.
      if (high === undefined ? next.slope >= 0 : next.slope * (high.step - low.step) >= 0) {
        high = low;
      }
      low = next;
    }
    if (high === undefined) step *= 2;
    else {
      if (Math.abs(high.step - low.step) <= 1e-14 * Math.max(low.step, high.step)) break;
      step = interpolate(low, high);
    }
  }
  return low.step > 0 ? low : undefined;
}

/** The minimum of the cubic through both ends, kept a tenth of the interval away from them. */
function interpolate<E extends ValueAndGradient>(a: Probe<E>, b: Probe<E>): number {
  const width = b.step - a.step, middle = a.step + width / 2;
  const mean = 3 * (b.evaluation.value - a.evaluation.value) / width;
  const first = a.slope + b.slope - mean;
  const second = Math.sign(width) * Math.sqrt(first * first - a.slope * b.slope);
  const step = b.step - width * (b.slope + second - first) / (b.slope - a.slope + 2 * second);
  const margin = 0.1 * Math.abs(width);
  const lowest = Math.min(a.step, b.step) + margin, highest = Math.max(a.step, b.step) - margin;
  return Number.isFinite(step) ? Math.min(Math.max(step, lowest), highest) : middle;
}
