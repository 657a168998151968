import { createRandom, type Random } from "../../kan/numeric/random.ts";
import type { TransformerDescription } from "../architectures/description.ts";
import { type ConversationFrame, ConversationWriter } from "../generation/conversation.ts";
import type { SampleJob } from "./sample_worker.ts";

/** What is drawn, and how. */
export interface DrawingOptions {
  readonly model: TransformerDescription;
  readonly jobs: readonly SampleJob[];
  /** Tokens of a sequence, the first included. */
  readonly length: number;
  /** The first token of every sequence; a random one if omitted. */
  readonly firstToken?: number;
  /** What is put around messages, if the sequences are conversations. */
  readonly frame?: ConversationFrame;
  /** Called with the number of jobs that are done, one that is under way in part. */
  readonly onProgress: (jobs: number) => void;
  /** Stops the work with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** Sequences whose keys and values take at most `bytes`, in 32-bit floats. */
export function sequencesWithin(
  bytes: number,
  { layers }: TransformerDescription,
  length: number,
): number {
  const each = layers.reduce(
    (sum, { attention: { keyValueHeads, headSize } }) =>
      sum + 8 * length * keyValueHeads * headSize,
    0,
  );
  return Math.floor(bytes / each);
}

/** A job whose sequences are drawn. */
export interface DrawnJob {
  readonly batch: number;
  readonly random: Random;
  readonly writers: readonly ConversationWriter[] | undefined;
  /** The first token of each sequence. */
  readonly begin: Int32Array;
  /** `[batch, length]`. */
  readonly tokens: Int32Array;
}

/** Begins to draw a job's sequences. */
export function beginJob(
  { batch, seed }: SampleJob,
  { model, length, firstToken, frame }: Pick<
    DrawingOptions,
    "model" | "length" | "firstToken" | "frame"
  >,
): DrawnJob {
  const random = createRandom(seed);
  const writers = frame && Array.from({ length: batch }, () => new ConversationWriter(frame));
  const begin = Int32Array.from(
    { length: batch },
    (_, row) => writers?.[row]?.next() ?? firstToken ?? random.integer(model.vocabularySize),
  );
  return { batch, random, writers, begin, tokens: new Int32Array(batch * length) };
}
