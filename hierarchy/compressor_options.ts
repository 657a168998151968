import { STATE_COUNTS } from "./format/constants.ts";
import { InputError } from "../data/input_error.ts";
import { type Effort, EFFORTS } from "./choose_states.ts";
import type { TasksThrough } from "./workers/task_runner.ts";

/** Names of the hierarchies that are ready to use. */
export const PRESETS = ["rate", "seed", "hybrid"] as const;
/** Name of a hierarchy: see {@linkcode HierarchicalCompressor}. */
export type Preset = typeof PRESETS[number];

/** Settings of {@linkcode HierarchicalCompressor}. */
export interface CompressorOptions {
  /** Parameters that the model must have, tied ones once; not checked by default. */
  readonly inputDim?: number;
  /** Number of autoencoder levels, 1 to 8: 3 by default, or the length of `hiddenDims`. */
  readonly numLevels?: number;
  /**
   * Latents of a block at each autoencoder level, outermost first, such as `[512, 256, 128]`. By
   * default chosen so that the decoders stay below a tenth of the file.
   */
  readonly hiddenDims?: readonly number[];
  /** The hierarchy; `seed` where `hiddenDims` or `numLevels` is given, else `rate`. */
  readonly preset?: Preset;
  /**
   * Target in bits per parameter, whole file, 0.1 to 32. 4 by default; the preset `seed` has no
   * target by default, but quantizes its latents finely.
   */
  readonly bits?: number;
  /** Target in bytes for the whole file, instead of `bits`. */
  readonly bytes?: number;
  /** Bytes of the target that are left free for what is added later, such as gains; 0 by default. */
  readonly reservedBytes?: number;
  /** Seed of everything random; 0 by default. The same weights and seed give the same bytes. */
  readonly seed?: number;
  /**
   * How long to search for a smaller error: `"fast"`, `"normal"` (the default) or `"best"`. It
   * chooses `states` by the size of the model.
   */
  readonly effort?: Effort;
  /** Trellis states of the coder of weights: 1 (scalar), 4, 8, … 256, 1024 or 4096; by `effort` if omitted. */
  readonly states?: number;
  /**
   * Give every matrix the same bits per value, instead of those that it is worth: for comparison.
   * Steps within a matrix keep their proportions. Matrices without a metric have equal rates anyway.
   */
  readonly uniform?: boolean;
  /**
   * Squared steps that a bit is worth while quantizing weights, 0 to 1; 0.06 by default where there is
   * calibration and the trellis has more than 8 states, else 0. See the trellis level.
   */
  readonly rateWeight?: number;
  /** Workers that code matrices side by side, 1 to 256; 1 by default. The bytes are the same. */
  readonly threads?: number;
  /**
   * What runs coding tasks, given what runs them here; that by default. It must give the same results:
   * those that a store has, or that other machines computed.
   *
   * @internal
   */
  readonly tasksThrough?: TasksThrough;
  /**
   * Folder for files that take what there is not memory enough for, such as indices; whoever names it
   * makes and removes it. In memory if omitted. The bytes are the same.
   */
  readonly scratchFolder?: string;
  /** Keep vectors (norms, biases) in their own element type instead of f16. */
  readonly losslessSmall?: boolean;
  /** Steps of gradient descent for each autoencoder level; a few hundred by default. */
  readonly trainingSteps?: number;
  /** Called as work is done: what is being done, and its share done, 0 to 1. */
  readonly onProgress?: (activity: string, share: number) => void;
  /** Stops the work; the signal's reason is thrown. */
  readonly signal?: AbortSignal;
}

/** Options with every default filled in. */
export interface ResolvedOptions extends CompressorOptions {
  readonly preset: Preset;
  readonly numLevels: number;
  readonly seed: number;
  readonly effort: Effort;
  readonly uniform: boolean;
  readonly threads: number;
  readonly losslessSmall: boolean;
}

/** Fills in defaults; throws {@linkcode InputError} if an option is out of its range. */
export function resolveOptions(options: CompressorOptions): ResolvedOptions {
  const { hiddenDims, inputDim, bits, bytes, seed = 0, states, threads = 1 } = options;
  const { effort = "normal", uniform = false, rateWeight } = options;
  const asksForAutoencoder = hiddenDims !== undefined || options.numLevels !== undefined;
  const preset = options.preset ?? (asksForAutoencoder ? "seed" : "rate");
  const numLevels = options.numLevels ?? hiddenDims?.length ?? 3;
  check(PRESETS.includes(preset), `preset: "${preset}" is not one of ${PRESETS.join(", ")}`);
  check(
    Number.isInteger(numLevels) && numLevels >= 1 && numLevels <= 8,
    `numLevels: ${numLevels} is not an integer from 1 to 8`,
  );
  check(
    hiddenDims === undefined || hiddenDims.length === numLevels,
    `hiddenDims: has ${hiddenDims?.length} widths for ${numLevels} levels; give one for each`,
  );
  check(
    bits === undefined || (bits >= 0.1 && bits <= 32),
    `bits: ${bits} is not from 0.1 to 32 bits per parameter`,
  );
  check(bytes === undefined || bytes >= 1, `bytes: ${bytes} is not a size of a file`);
  check(
    bits === undefined || bytes === undefined,
    "bits and bytes: both are given; give one target",
  );
  check(
    Number.isSafeInteger(options.reservedBytes ?? 0) && (options.reservedBytes ?? 0) >= 0,
    `reservedBytes: ${options.reservedBytes} is not a number of bytes`,
  );
  check(Number.isSafeInteger(seed), `seed: ${seed} is not an integer`);
  check(
    states === undefined || STATE_COUNTS.some((count) => count === states),
    `states: ${states} is not one of ${STATE_COUNTS.join(", ")}`,
  );
  check(
    rateWeight === undefined || (rateWeight >= 0 && rateWeight <= 1),
    `rateWeight: ${rateWeight} is not from 0 to 1 squared steps`,
  );
  check(EFFORTS.includes(effort), `effort: "${effort}" is not one of ${EFFORTS.join(", ")}`);
  check(
    !uniform || preset !== "seed",
    "uniform: has no effect with the preset seed, whose latent has one rate; leave it out",
  );
  check(
    Number.isInteger(threads) && threads >= 1 && threads <= 256,
    `threads: ${threads} is not an integer from 1 to 256`,
  );
  check(
    inputDim === undefined || (Number.isSafeInteger(inputDim) && inputDim > 0),
    `inputDim: ${inputDim} is not a number of parameters`,
  );
  return {
    ...options,
    preset,
    numLevels,
    seed,
    effort,
    uniform,
    threads,
    losslessSmall: options.losslessSmall ?? false,
  };
}

function check(condition: boolean, message: string): void {
  if (!condition) throw new InputError(message);
}

/** Rate of the presets that have a target, in bits per parameter. */
export const DEFAULT_BITS = 4;
