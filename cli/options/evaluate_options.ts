import type { MeasureOptions } from "./measure_options.ts";

/** Tokens of a continuation, unless the user asks for more or fewer. */
export const CONTINUATION_TOKENS = 60;
/** Tokens of an answer in a chat. */
export const REPLY_TOKENS = 200;

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
  /** What is said to the models in a chat, instead of measuring. */
  readonly chat?: string;
  /** The system message of the chat. */
  readonly system?: string;
  /** Length of the continuation in tokens. */
  readonly maxTokens?: number;
  /** Softmax temperature; 0 takes the likeliest token. */
  readonly temperature: number;
  /** Sample among this many likeliest tokens only; 0 for no limit. */
  readonly topK: number;
  /** Sample among the likeliest tokens that have this much probability together. */
  readonly topP: number;
  /** Seed of the sampling. */
  readonly seed: number;
}
