import { createRandom } from "../../kan/numeric/random.ts";
import type { TransformerDescription } from "../architectures/description.ts";
import { readValues, type TfjsBackend, useBackend } from "../compute/backend.ts";
import type { RunnableModel } from "../model/runnable_model.ts";
import { applyHead, hiddenStates } from "../model/forward.ts";
import { KeyValueCache } from "../layers/key_value_cache.ts";
import { roundAlike } from "../kernels/layer_kernels.ts";
import { ParameterStore } from "../weights/parameter_store.ts";
import { receiveWeights, type SentTensor } from "../weights/prepared_weights.ts";
import { type ConversationFrame, ConversationWriter } from "../generation/conversation.ts";
import { sampleToken } from "../generation/sample_token.ts";
import { serveJobs } from "../../workers/serve_jobs.ts";

/** What each worker is given once. */
export interface SampleSetup {
  /** The architecture with its sizes. */
  readonly description: TransformerDescription;
  /** The weights, in shared memory. */
  readonly weights: ReadonlyMap<string, SentTensor>;
  /** Where tfjs computes. */
  readonly backend: TfjsBackend;
  /** Tokens of a sequence, the first included. */
  readonly length: number;
  /** The first token of every sequence; a random one if omitted. */
  readonly firstToken?: number;
  /** What is put around messages, if the sequences are conversations. */
  readonly frame?: ConversationFrame;
}

/** Sequences that are drawn together, so that products have more than one row. */
export interface SampleJob {
  /** Number of sequences. */
  readonly batch: number;
  /** Seed of their draws. */
  readonly seed: number;
}

serveJobs<SampleSetup, SampleJob, Int32Array>(async (setup) => {
  roundAlike();
  await useBackend(setup.backend);
  const parameters = new ParameterStore(receiveWeights(setup.weights), true);
  const model = { description: setup.description, parameters };
  return (job) => sampleSequences(model, setup, job);
});

async function sampleSequences(
  { description, parameters }: RunnableModel,
  { length, firstToken, frame }: SampleSetup,
  { batch, seed }: SampleJob,
): Promise<Int32Array> {
  const random = createRandom(seed);
  const { vocabularySize, layers } = description;
  const sequences = new Int32Array(batch * length);
  const writers = frame &&
    Array.from({ length: batch }, () => new ConversationWriter(frame));
  const cache = new KeyValueCache(layers.length);
  let current = Int32Array.from(
    { length: batch },
    (_, row) => writers?.[row]?.next() ?? firstToken ?? random.integer(vocabularySize),
  );
  for (let position = 0;; position++) {
    current.forEach((token, row) => sequences[row * length + position] = token);
    if (position + 1 === length) break;
    const hidden = hiddenStates(description, parameters, current, batch, { cache });
    const logits = applyHead(description, parameters, hidden);
    const values = await readValues(logits);
    hidden.dispose();
    logits.dispose();
    current = current.map((_, row) => {
      const from = row * vocabularySize;
      const drawn = sampleToken(values.subarray(from, from + vocabularySize), {}, random);
      return writers?.[row]?.next(drawn) ?? drawn;
    });
  }
  cache.dispose();
  return sequences;
}
