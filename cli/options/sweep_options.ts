import type { CompressOptions } from "./compress_options.ts";

/** Options of `sweep`. */
export interface SweepOptions extends
  Omit<
    CompressOptions,
    "preset" | "bits" | "size" | "maxKl" | "levels" | "hiddenDims" | "losslessSmall"
  > {
  /** Presets, baselines and families of baselines. */
  readonly presets: readonly string[];
  /** Rates in bits per weight. */
  readonly bits: readonly number[];
  /** Picture of size against divergence to write. */
  readonly plot?: string;
}
