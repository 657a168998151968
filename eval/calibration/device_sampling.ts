import { createRandom, type Random } from "../../kan/numeric/random.ts";
import type { TransformerDescription } from "../architectures/description.ts";
import { type ConversationFrame, ConversationWriter } from "../generation/conversation.ts";
import { DeviceModel } from "../webgpu/device_model.ts";
import type { PreparedWeights } from "../weights/prepared_weights.ts";
import type { SampleJob } from "./sample_worker.ts";

/** What {@linkcode sampleOnDevice} is given. */
export interface DeviceSamplingOptions {
  readonly model: TransformerDescription;
  readonly weights: PreparedWeights;
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

/** Most sequences that are drawn at once, in whole jobs. */
const mostSequences = 128;
/** Most bytes of the keys and values of all of them. */
const cacheBytes = 2 ** 31;

function sequencesAtOnce({ layers }: TransformerDescription, length: number): number {
  const bytes = layers.reduce(
    (sum, { attention: { keyValueHeads, headSize } }) =>
      sum + 8 * length * keyValueHeads * headSize,
    0,
  );
  return Math.min(mostSequences, Math.floor(cacheBytes / bytes));
}

/**
 * Draws sequences on a graphics card, many at once, by the random numbers that workers would draw them
 * with: the tokens of each job, or undefined if our programs do not know the model.
 */
export async function sampleOnDevice(
  options: DeviceSamplingOptions,
): Promise<Int32Array[] | undefined> {
  const { model, weights, jobs, onProgress, signal } = options;
  const onDevice = await DeviceModel.open(model, weights);
  if (onDevice === undefined) return undefined;
  try {
    const drawn: Int32Array[] = [];
    const runner = onDevice.startRunner();
    const most = sequencesAtOnce(model, options.length);
    while (drawn.length < jobs.length) {
      const group: DrawnJob[] = [];
      let sequences = 0;
      for (const job of jobs.slice(drawn.length)) {
        if (group.length > 0 && sequences + job.batch > most) break;
        group.push(beginJob(job, options));
        sequences += job.batch;
      }
      runner.reset();
      let current = Int32Array.from(group.flatMap(({ begin }) => [...begin]));
      for (let position = 0;; position++) {
        let at = 0;
        for (const { tokens, batch } of group) {
          for (let row = 0; row < batch; row++) {
            tokens[row * options.length + position] = current[at++]!;
          }
        }
        if (position + 1 === options.length) break;
        signal?.throwIfAborted();
        onProgress(drawn.length + group.length * position / options.length);
        const draws = Uint32Array.from(
          group.flatMap(({ batch, random }) =>
            Array.from({ length: batch }, () => 2 ** 32 * random.uniform())
          ),
        );
        const labels = await runner.draw(current, sequences, draws);
        at = 0;
        current = Int32Array.from(
          group.flatMap(({ batch, writers }) =>
            Array.from({ length: batch }, (_, row) => {
              const label = labels[at++]!;
              return writers?.[row]?.next(label) ?? label;
            })
          ),
        );
      }
      drawn.push(...group.map(({ tokens }) => tokens));
      onProgress(drawn.length);
    }
    return drawn;
  } finally {
    onDevice.dispose();
  }
}

/** A job whose sequences are drawn. */
interface DrawnJob {
  readonly batch: number;
  readonly random: Random;
  readonly writers: readonly ConversationWriter[] | undefined;
  /** The first token of each sequence. */
  readonly begin: Int32Array;
  /** `[batch, length]`. */
  readonly tokens: Int32Array;
}

function beginJob(
  { batch, seed }: SampleJob,
  { model, length, firstToken, frame }: DeviceSamplingOptions,
): DrawnJob {
  const random = createRandom(seed);
  const writers = frame && Array.from({ length: batch }, () => new ConversationWriter(frame));
  const begin = Int32Array.from(
    { length: batch },
    (_, row) => writers?.[row]?.next() ?? firstToken ?? random.integer(model.vocabularySize),
  );
  return { batch, random, writers, begin, tokens: new Int32Array(batch * length) };
}
