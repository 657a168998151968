import { InputError } from "../../data/input_error.ts";
import { estimatedBits, logStepOf, type RateEstimate } from "./rate_estimate.ts";
import { searchBelow, type Trial } from "./search_below.ts";

/** What a size is met with. */
export interface SizeSearch {
  /** Estimate of the coded matrices. */
  readonly estimate: RateEstimate;
  /** Bytes that the file has beside them, about. */
  readonly overhead: number;
  /** Parameters of the model. */
  readonly parameters: number;
  /** How many of them are coded. */
  readonly values: number;
  /** The file may be so much smaller than its target, as a share of it; 0.002 if omitted. */
  readonly tolerance?: number;
}

/** Steps are not told apart any finer than this share of the target. */
const RESOLUTION = 1e-4;

/**
 * Finds the quantization step of the largest file of at most `target` bytes, within 0.2 % where the
 * file's size can be steered so finely; `encodeAt` is given the log2 of a step. Throws
 * {@linkcode InputError} with the smallest size where that is above the target.
 */
export async function meetSize<T>(
  encodeAt: (logStep: number) => Promise<Trial<T>>,
  target: number,
  { estimate, overhead, parameters, values, tolerance = 0.002 }: SizeSearch,
): Promise<T> {
  // In estimated bytes the true size is nearly a line.
  const bytesAt = (logStep: number) => overhead + estimatedBits(estimate, logStep) / 8;
  const range = [bytesAt(estimate.coarsest), bytesAt(estimate.finest)] as const;
  const run = (bytes: number) =>
    encodeAt(
      bytes <= range[0] ? estimate.coarsest : logStepOf(estimate, 8 * (bytes - overhead)),
    );
  const { best, smallest } = await searchBelow(run, {
    first: target,
    range,
    most: target,
    least: target * (1 - tolerance),
    slope: 1,
    resolution: Math.max(1, target * RESOLUTION),
  });
  if (best !== undefined) return best.made;
  const inBits = (bytes: number) => (8 * bytes / parameters).toFixed(3);
  throw new InputError(
    `${Math.floor(target)} bytes (${inBits(target)} bits per parameter) cannot be reached; ` +
      `the smallest file of this model has ${smallest.value} bytes (${inBits(smallest.value)} ` +
      `bits), ${values === 0 ? "for it has no matrices" : "with every coded weight at zero"}; ` +
      `ask for more`,
  );
}
