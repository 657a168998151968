import type { MeasureOptions } from "./measure_options.ts";

/** Options of `evaluate`. */
export interface EvaluateOptions extends MeasureOptions {
  /** The model that a compressed one is compared with. */
  readonly original?: string;
  /** Picture of size against perplexity to write. */
  readonly plot?: string;
  /** Decode and run one layer at a time. */
  readonly lowMemory?: true;
  /** Task to be asked, instead of measuring on a text. */
  readonly task?: string;
  /** Data set of the task; that of the hub if omitted. */
  readonly data?: string;
  /** At most this many questions. */
  readonly limit?: number;
  /** File to write each question and its answers to. */
  readonly logSamples?: string;
  /** Output of an earlier `evaluate --json` to compare with. */
  readonly against?: string;
  /** Text to continue, instead of measuring. */
  readonly prompt?: string;
  /** Length of the continuation in tokens. */
  readonly maxTokens: number;
  /** Softmax temperature; 0 takes the likeliest token. */
  readonly temperature: number;
  /** Sample among this many likeliest tokens only; 0 for no limit. */
  readonly topK: number;
  /** Sample among the likeliest tokens that have this much probability together. */
  readonly topP: number;
  /** Seed of the sampling. */
  readonly seed: number;
}
