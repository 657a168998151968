import { InputError } from "../../data/input_error.ts";
import { logStepOf, type RateEstimate } from "./rate_estimate.ts";
import { searchBelow, type Trial } from "./search_below.ts";

/** What a divergence is met with. */
export interface DivergenceSearch {
  /** Estimate of the coded matrices. */
  readonly estimate: RateEstimate;
  /** Number of coded values. */
  readonly values: number;
}

/** A divergence may be so much below its target, as a share of it. */
const TOLERANCE = 0.05;
/** Bits a coded value of the first trial. */
const FIRST_BITS = 4;
/** Bits a coded value from which on more of them are not sensible. */
const MOST_BITS = 16;
/** What a divergence of zero, or below by rounding, counts as. */
const LEAST_DIVERGENCE = 1e-12;

/** An encoding and its measured divergence. */
export interface MeasuredEncoding<T> {
  /** What was encoded. */
  readonly encoded: T;
  /** Its bits per parameter, whole file. */
  readonly bitsPerWeight: number;
  /** Its mean divergence from the original, in nats. */
  readonly divergence: number;
}

/**
 * Finds the coarsest quantization step, and so the smallest file, whose divergence is at most
 * `target`, within 5 %. While errors are small the divergence grows with the square of the step, so
 * the search goes by the logs of both. Throws {@linkcode InputError} with the least divergence found
 * where that is above the target even at 16 bits.
 */
export async function meetDivergence<T>(
  measureAt: (logStep: number) => Promise<MeasuredEncoding<T>>,
  target: number,
  { estimate, values }: DivergenceSearch,
): Promise<T> {
  const run = async (logStep: number): Promise<Trial<MeasuredEncoding<T>>> => {
    const made = await measureAt(logStep);
    return { value: Math.log(Math.max(made.divergence, LEAST_DIVERGENCE)), made };
  };
  const { best, smallest } = await searchBelow(run, {
    first: logStepOf(estimate, FIRST_BITS * values),
    range: [logStepOf(estimate, MOST_BITS * values), estimate.coarsest],
    most: Math.log(target),
    least: Math.log(target * (1 - TOLERANCE)),
    slope: 2 * Math.LN2,
    resolution: 1e-4,
  });
  if (best !== undefined) return best.made.encoded;
  const { divergence, bitsPerWeight } = smallest.made;
  throw new InputError(
    `a mean KL divergence of ${target} cannot be reached; the least found is ` +
      `${divergence.toPrecision(3)}, at ${bitsPerWeight.toFixed(2)} bits per parameter; ` +
      `ask for more, or keep norms and biases bit for bit`,
  );
}
