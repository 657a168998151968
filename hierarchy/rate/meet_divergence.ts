import { InputError } from "../../data/input_error.ts";
import { logStepOf, type RateEstimate } from "./rate_estimate.ts";
import { searchBelow, type Trial } from "./search_below.ts";

/** What a divergence is met with. */
export interface DivergenceSearch {
  /** Estimate of the coded matrices. */
  readonly estimate: RateEstimate;
  /** Number of coded values. */
  readonly values: number;
  /** What could still be done where the target is out of reach, for the message. */
  readonly advice: string;
}

/** A divergence may be so much below its target, as a share of it. */
const TOLERANCE = 0.05;
/** Bits a coded value of the first trial. */
const FIRST_BITS = 4;
/** Bits a coded value up to which the divergence falls with the square of the step. */
const MOST_BITS = 16;
/** Divergence in nats from which on it does not grow with the step any more. */
const LOOSE = 1;
/** Bits a coded value where the smallest file of a loose target is looked for: so many, and so on. */
const FEWEST_BITS = 1 / 64, BITS_FACTOR = Math.SQRT2;
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

/** What is known of an encoding. */
export type TrialFigures = Pick<MeasuredEncoding<unknown>, "bitsPerWeight" | "divergence">;

/**
 * Finds the smallest file whose divergence is at most `target`, of those that it tries. While errors
 * are small the divergence grows with the square of the step, so the search goes by the logs of both
 * and ends within 5 % of the target. Where errors are as large as the weights it goes up and down with
 * the step: for such a target the search begins at the smallest file there is and goes up to the
 * first that meets it. At the fine end it is what rounding leaves: every bit up to the last is tried
 * before the target is given up. `measureAt` is given the log2 of a step, and may ask whether an encoding
 * of some figures is the best so far: what was encoded of others is not needed.
 *
 * Throws {@linkcode InputError} with the least divergence found where that is above the target.
 */
export async function meetDivergence<T>(
  measureAt: (
    logStep: number,
    isBest: (figures: TrialFigures) => boolean,
  ) => Promise<MeasuredEncoding<T>>,
  target: number,
  { estimate, values, advice }: DivergenceSearch,
): Promise<T> {
  // Of all trials only the best is kept: files are large.
  const trials = new Map<number, Trial<TrialFigures>>();
  let best: MeasuredEncoding<T> | undefined, least: TrialFigures | undefined;
  const isBest = ({ divergence, bitsPerWeight }: TrialFigures) =>
    divergence <= target && bitsPerWeight < (best?.bitsPerWeight ?? Infinity);
  const run = async (logStep: number): Promise<Trial<TrialFigures>> => {
    const known = trials.get(logStep);
    if (known !== undefined) return known;
    const made = await measureAt(logStep, isBest);
    const { bitsPerWeight } = made;
    const divergence = Number.isNaN(made.divergence) ? Infinity : made.divergence;
    const trial = {
      value: Math.log(Math.max(divergence, LEAST_DIVERGENCE)),
      made: { bitsPerWeight, divergence },
    };
    trials.set(logStep, trial);
    if (isBest(made)) best = made;
    if (least === undefined || divergence < least.divergence) least = trial.made;
    return trial;
  };
  const meets = async (logStep: number) => (await run(logStep)).made.divergence <= target;
  const { coarsest, finest } = estimate;
  const stepAt = (bits: number) => logStepOf(estimate, bits * values);
  let range: [finest: number, coarsest: number] = [stepAt(MOST_BITS), coarsest];
  let first = stepAt(FIRST_BITS);
  if (target >= LOOSE) {
    let bits = FEWEST_BITS, above = coarsest, at = coarsest;
    while (!await meets(at) && bits < FIRST_BITS) {
      [above, at] = [at, stepAt(bits)];
      bits *= BITS_FACTOR;
    }
    range = [Math.min(at, range[0]), above];
    first = at;
  }
  await searchBelow(run, {
    first,
    range,
    most: Math.log(target),
    least: Math.log(target * (1 - TOLERANCE)),
    slope: 2 * Math.LN2,
    resolution: 1e-4,
    prefers: ({ made }, other) => made.bitsPerWeight < other.made.bitsPerWeight,
  });
  for (let bits = MOST_BITS + 1; best === undefined; bits++) {
    const at = stepAt(bits);
    await run(at);
    if (at <= finest + 1e-6) break;
  }
  if (best !== undefined) return best.encoded;
  const { divergence, bitsPerWeight } = least!;
  throw new InputError(
    `a mean KL divergence of ${target} cannot be reached; the least found is ` +
      `${divergence.toPrecision(3)}, at ${bitsPerWeight.toFixed(2)} bits per parameter; ${advice}`,
  );
}
