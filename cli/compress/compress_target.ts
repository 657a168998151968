import { DEFAULT_BITS } from "../../hierarchy/compressor_options.ts";
import type { StateDict } from "../../data/tensor.ts";
import type { CompressorOptions, Preset } from "../../hierarchy/mod.ts";
import { UsageError } from "../terminal/errors.ts";
import type { CompressOptions } from "../options/compress_options.ts";

/** Which preset compresses, and how far. */
export interface CompressTarget {
  /** Which hierarchy of levels compresses. */
  readonly preset: Preset;
  /** Target for the whole file in bits per weight. */
  readonly bits?: number;
  /** Target for the whole file in bytes. */
  readonly bytes?: number;
  /** Target for the mean KL divergence from the original on the measured text, in nats. */
  readonly maxKl?: number;
}

/**
 * What the options ask for. As in the library, asking for autoencoder levels is asking for the
 * preset seed. Throws {@linkcode UsageError} if options contradict each other.
 */
export function chooseTarget(options: CompressOptions): CompressTarget {
  const { bits, size, maxKl } = options;
  const targets = Object.entries({ "--bits": bits, "--size": size, "--max-kl": maxKl })
    .filter(([, value]) => value !== undefined).map(([name]) => name);
  if (targets.length > 1) {
    throw new UsageError(`${targets.join(" and ")} are different targets; give one of them`);
  }
  const preset = choosePreset(options);
  if (options.tune !== undefined && options.tune > 0) refuseTuning(preset, maxKl);
  if (maxKl !== undefined) return { preset, maxKl };
  if (size !== undefined) return { preset, bytes: size };
  const target = bits ?? (preset === "seed" ? undefined : DEFAULT_BITS);
  return { preset, ...(target === undefined ? {} : { bits: target }) };
}

/** Throws {@linkcode UsageError} where what is compressed to cannot be tuned. */
function refuseTuning(preset: Preset, maxKl: number | undefined): void {
  if (preset !== "rate") {
    throw new UsageError(
      `--tune is about files of --preset rate, not of --preset ${preset}; leave one of them out`,
    );
  }
  if (maxKl !== undefined) {
    throw new UsageError(
      "--max-kl finds the size of a file as it is coded, and --tune changes what it diverges by; " +
        "give --bits or --size with --tune",
    );
  }
}

/** What has no effect on the preset seed: calibration, and the choices of the rate code. */
const NOT_FOR_SEED = {
  uniform: "--uniform",
  states: "--states",
  effort: "--effort",
  calibration: "--calibration",
  calibrationTokens: "--calibration-tokens",
  calibrationLoss: "--calibration-loss",
  dataFree: "--data-free",
  correctDrift: "--correct-drift",
} as const;

function choosePreset(options: CompressOptions): Preset {
  const { preset, levels, hiddenDims } = options;
  const asked = levels !== undefined ? "--levels" : hiddenDims && "--hidden-dims";
  if (preset === "rate" && asked !== undefined) {
    throw new UsageError(
      `${asked} is about autoencoder levels, of which --preset rate has none; ` +
        "choose --preset seed or --preset hybrid",
    );
  }
  if (levels !== undefined && hiddenDims !== undefined && levels !== hiddenDims.length) {
    throw new UsageError(
      `--levels ${levels} and --hidden-dims ${hiddenDims.join()} disagree; give one width per level`,
    );
  }
  const chosen = preset ?? (asked === undefined ? "rate" : "seed");
  const [useless] = Object.entries(NOT_FOR_SEED).flatMap(([name, option]) =>
    options[name as keyof typeof NOT_FOR_SEED] ? [option] : []
  );
  if (chosen === "seed" && useless !== undefined) {
    throw new UsageError(`${useless} has no effect with --preset seed; leave one of them out`);
  }
  return chosen;
}

/** The target in bits per parameter, if there is one. */
export function targetBits(
  { bits, bytes }: Pick<CompressTarget, "bits" | "bytes">,
  weights: StateDict,
): number | undefined {
  if (bytes === undefined) return bits;
  let parameters = 0;
  const values = [...weights.values()].map((tensor) => tensor.half?.patterns ?? tensor.data);
  for (const { length } of new Set(values)) parameters += length;
  return 8 * bytes / parameters;
}

/** The options of the compressor that say how well and how evenly it codes. */
export function coderOptions(
  { effort, states, uniform }: Pick<CompressOptions, "effort" | "states" | "uniform">,
): Pick<CompressorOptions, "effort" | "states" | "uniform"> {
  return {
    ...(effort !== undefined && { effort }),
    ...(states !== undefined && { states }),
    ...(uniform && { uniform }),
  };
}
