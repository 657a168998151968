import { SPLINE_ORDER } from "../format/constants.ts";
import { InputError } from "../../data/input_error.ts";

/** Widths of a hierarchy of autoencoder levels and what they cost. */
export interface AutoencoderPlan {
  /** Weights in a block of the first level. */
  readonly blockSize: number;
  /** Latents of a block at each level, outermost first. */
  readonly hiddenDims: readonly number[];
  /** Bytes of all decoders: the coefficients, and a step for each output. */
  readonly decoderBytes: number;
  /** Bytes of the last level's latents at `latentBits` each. */
  readonly latentBytes: number;
}

/** Assumptions of {@linkcode planAutoencoder}. */
export interface AutoencoderPlanOptions {
  /** Expected bits of a coded latent; 4 by default. */
  readonly latentBits?: number;
  /** Bits of a stored spline coefficient; 8 by default. */
  readonly coefficientBits?: number;
  /** Grid intervals of the splines; 4 by default. */
  readonly intervals?: number;
}

/**
 * The decoders may take this share of the bytes planned. It leaves room for latents that code in
 * fewer bits than were expected before the decoders pass a tenth of a file.
 */
const DECODER_SHARE = 0.07;

/** Wider blocks would cost more time to decode (operations grow with the width) than they gain. */
const LARGEST_BLOCK = 256;

/** Grid intervals of a spline unless told otherwise. */
export const DEFAULT_INTERVALS = 4;

/** Bits of a stored spline coefficient unless told otherwise. */
export const DEFAULT_COEFFICIENT_BITS = 8;

/**
 * Chooses the widths of `numLevels` nested autoencoders for `parameterCount` weights: each level
 * halves its block, and the block is the largest power of two up to 256 whose decoders stay a small
 * share of the file. A model too small for any has the smallest block that halves `numLevels` times.
 *
 * ```ts
 * import { planAutoencoder } from "./plan_autoencoder.ts";
 * import assert from "node:assert";
 *
 * assert.deepEqual(planAutoencoder(4_300_000, 3).hiddenDims, [32, 16, 8]);
 * ```
 */
export function planAutoencoder(
  parameterCount: number,
  numLevels: number,
  options: AutoencoderPlanOptions = {},
): AutoencoderPlan {
  if (!(parameterCount >= 0)) {
    throw new InputError(`parameterCount: ${parameterCount} is not a count`);
  }
  if (!Number.isInteger(numLevels) || numLevels < 1 || numLevels > 8) {
    throw new InputError(`numLevels: ${numLevels} is not an integer from 1 to 8`);
  }
  const smallest = 2 ** numLevels;
  let best = planWithBlock(parameterCount, numLevels, smallest, options);
  for (let block = 2 * smallest; block <= LARGEST_BLOCK; block *= 2) {
    const plan = planWithBlock(parameterCount, numLevels, block, options);
    if (plan.decoderBytes > DECODER_SHARE * (plan.decoderBytes + plan.latentBytes)) break;
    best = plan;
  }
  return best;
}

function planWithBlock(
  parameterCount: number,
  numLevels: number,
  blockSize: number,
  options: AutoencoderPlanOptions,
): AutoencoderPlan {
  const {
    latentBits = 4,
    coefficientBits = DEFAULT_COEFFICIENT_BITS,
    intervals = DEFAULT_INTERVALS,
  } = options;
  const hiddenDims: number[] = [];
  let decoderBytes = 0;
  for (let width = blockSize; hiddenDims.length < numLevels; width /= 2) {
    const coefficients = width * (width / 2) * (intervals + SPLINE_ORDER);
    decoderBytes += Math.ceil(coefficients * coefficientBits / 8) + width;
    hiddenDims.push(width / 2);
  }
  const blocks = Math.ceil(parameterCount / blockSize);
  const latentBytes = Math.ceil(blocks * hiddenDims.at(-1)! * latentBits / 8);
  return { blockSize, hiddenDims, decoderBytes, latentBytes };
}
