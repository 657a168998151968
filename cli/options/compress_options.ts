import type { Effort, Preset } from "../../hierarchy/mod.ts";
import type { MeasureOptions } from "./measure_options.ts";

/** Options of `compress`. */
export interface CompressOptions extends MeasureOptions {
  /** Which hierarchy of levels compresses; left out, it follows from the other options. */
  readonly preset?: Preset;
  /** Target for the whole file in bits per weight, fractions allowed. */
  readonly bits?: number;
  /** Target for the whole file in bytes, instead of `bits`. */
  readonly size?: number;
  /** Target for the mean KL divergence on the measured text in nats, instead of `bits`. */
  readonly maxKl?: number;
  /** Give every matrix the same bits per weight, for comparison. */
  readonly uniform?: true;
  /** How long to search for a smaller error. */
  readonly effort?: Effort;
  /**
   * Whether to quantize each layer against what those before it give once they are quantized; by effort if
   * omitted.
   */
  readonly correctDrift?: boolean;
  /** Steps of tuning after coding; those of the effort if omitted. */
  readonly tune?: number;
  /** Trellis states, instead of those that the effort chooses. */
  readonly states?: number;
  /** Number of autoencoder levels (seed and hybrid). */
  readonly levels?: number;
  /** Widths of the autoencoder levels (seed and hybrid). */
  readonly hiddenDims?: readonly number[];
  /** Files with texts to calibrate on, mixed evenly; those of kanpress if omitted. */
  readonly calibration?: readonly string[];
  /** At most this many tokens of calibration. */
  readonly calibrationTokens?: number;
  /** Share of the divergence that more text may still save; all tokens are read if omitted. */
  readonly calibrationLoss?: number;
  /** Spend bits by the size of the weights alone, without calibration. */
  readonly dataFree?: true;
  /** Bytes of memory to do with; what is free if omitted. */
  readonly memory?: number;
  /** Folder that keeps what is done, for the same command to go on from. */
  readonly work?: string;
  /** Address of the Redis server by way of which other machines code; none do if omitted. */
  readonly redis?: string;
  /** Folder or address where machines keep what they send each other; in Redis if omitted. */
  readonly store?: string;
  /** Whether calibrations are kept on disk and taken from there; not if omitted. */
  readonly cache?: boolean;
  /** Seed of everything random. */
  readonly seed: number;
  /** Keep 1-D tensors bit for bit, where otherwise they are rounded to f16. */
  readonly losslessSmall?: true;
  /** Folder, or `.kan.safetensors` file, to write. */
  readonly out?: string;
  /** Whether to measure what was written; true if omitted. */
  readonly evaluate?: boolean;
  /** Task whose questions it is measured by, instead of a text. */
  readonly task?: string;
  /** Data set of the task; that of the hub if omitted. */
  readonly data?: string;
  /** At most this many questions. */
  readonly limit?: number;
}
