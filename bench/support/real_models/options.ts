import type { MeasureOptions } from "../../../cli/options/measure_options.ts";
import type { NamedFile } from "./named_file.ts";

/** Options of `bench/real_models.ts`. */
export interface RealModelsOptions extends Pick<MeasureOptions, "threads" | "backend"> {
  /** Bits per weight to compress to. */
  readonly bits: readonly number[];
  /** llama.cpp's types to quantize to. */
  readonly types: readonly string[];
  /** Text that all calibrate on; those of several kinds that come with kanpress if omitted. */
  readonly calibration?: NamedFile;
  /** At most this many tokens of it. */
  readonly calibrationTokens: number;
  /** Texts to measure on, the domain of calibration first; the embedded text if there is none. */
  readonly text: readonly NamedFile[];
  /** Chunks of 512 tokens of each text. */
  readonly chunks: number;
  /** Tasks to ask, by name, and their data. */
  readonly task: readonly NamedFile[];
  /** At most this many questions of each task. */
  readonly limit?: number;
  /** Folder of compressed files, texts and results. */
  readonly out: string;
  /** Folder of llama.cpp's libraries; npm's if omitted. */
  readonly llamaCpp?: string;
  /** Whether drift is corrected; it is if omitted. */
  readonly correctDrift?: boolean;
  /** Print what has been measured and measure nothing. */
  readonly tables?: true;
}
