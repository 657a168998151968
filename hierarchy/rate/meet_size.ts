import { InputError } from "../../data/input_error.ts";
import { estimatedBits, logStepOf, type RateEstimate } from "./rate_estimate.ts";
import { searchBelow, secantSlope, type Trial } from "./search_below.ts";

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
  /** About the bytes of the file at the log2 of a step, by a quick trial. */
  readonly draftAt?: (logStep: number) => Promise<number>;
}

/** Steps are not told apart any finer than this share of the target. */
const RESOLUTION = 1e-4;
/** Drafts before the first trial at most. */
const MOST_DRAFTS = 3;
/**
 * From a draft that is so near the target, as a share of it, a line leads to the step: one of the
 * slope that is expected, and one through two drafts.
 */
const NEAR_DRAFT = { expected: 0.003, measured: 0.015 };

/**
 * Finds the quantization step of the largest file of at most `target` bytes, within 0.2 % where the
 * file's size can be steered so finely; `encodeAt` is given the log2 of a step, and may ask whether a
 * file of some bytes is the best so far: of others, nothing need be made. Throws
 * {@linkcode InputError} with the smallest size where that is above the target.
 */
export async function meetSize<T>(
  encodeAt: (logStep: number, isBest: (bytes: number) => boolean) => Promise<Trial<T>>,
  target: number,
  { estimate, overhead, parameters, values, tolerance = 0.002, draftAt }: SizeSearch,
): Promise<T> {
  // In estimated bytes the true size is nearly a line.
  const bytesAt = (logStep: number) => overhead + estimatedBits(estimate, logStep) / 8;
  const range = [bytesAt(estimate.coarsest), bytesAt(estimate.finest)] as const;
  const logStepAt = (bytes: number) =>
    bytes <= range[0] ? estimate.coarsest : logStepOf(estimate, 8 * (bytes - overhead));
  const aim = target * (1 - tolerance / 2);
  const { first, slope } = draftAt === undefined
    ? { first: target, slope: 1 }
    : await drafted((bytes) => draftAt(logStepAt(bytes)), { target, aim, range });
  const { best, smallest } = await searchBelow<T | undefined>((bytes, isBest) => {
    return encodeAt(logStepAt(bytes), (value) => isBest({ value, made: undefined }));
  }, {
    first,
    range,
    most: target,
    least: target * (1 - tolerance),
    slope,
    resolution: Math.max(1, target * RESOLUTION),
  });
  if (best !== undefined) return best.made as T;
  const inBits = (bytes: number) => (8 * bytes / parameters).toFixed(3);
  throw new InputError(
    `${Math.floor(target)} bytes (${inBits(target)} bits per parameter) cannot be reached; ` +
      `the smallest file of this model has ${smallest.value} bytes (${inBits(smallest.value)} ` +
      `bits), ${values === 0 ? "for it has no matrices" : "with every coded weight at zero"}; ` +
      `ask for more`,
  );
}

/** Where drafts say that the size aimed at is met, in estimated bytes, and its growth with them. */
async function drafted(
  draftAt: (bytes: number) => Promise<number>,
  { target, aim, range }: {
    readonly target: number;
    readonly aim: number;
    readonly range: readonly [number, number];
  },
): Promise<{ readonly first: number; readonly slope: number }> {
  let at = Math.min(Math.max(target, range[0]), range[1]);
  let slope = 1;
  let before: { readonly at: number; readonly value: number } | undefined;
  for (let draft = 0; draft < MOST_DRAFTS; draft++) {
    const value = await draftAt(at);
    slope = secantSlope(before, { at, value }, slope);
    const missing = aim - value;
    const near = target * (before === undefined ? NEAR_DRAFT.expected : NEAR_DRAFT.measured);
    before = { at, value };
    at = Math.min(Math.max(at + missing / slope, range[0]), range[1]);
    if (Math.abs(missing) < near || at === before.at) break;
  }
  return { first: at, slope };
}
