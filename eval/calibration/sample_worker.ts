import type { StateDict } from "../../data/tensor.ts";
import { createRandom } from "../../kan/random.ts";
import type { ModelConfig } from "../architectures/config.ts";
import { type BackendName, useBackend } from "../backend.ts";
import { generateTokens } from "../generate.ts";
import { createLanguageModel } from "../language_model.ts";
import { serveJobs } from "../worker_jobs.ts";

/** What each worker is given once. */
export interface SampleSetup {
  /** The model's `config.json`. */
  readonly config: ModelConfig;
  /** The model's weights. */
  readonly weights: StateDict;
  /** Where tfjs computes. */
  readonly backend: BackendName;
  /** Tokens of a sequence, the first included. */
  readonly length: number;
  /** The first token of every sequence; a random one where absent. */
  readonly firstToken?: number;
}

/** One sequence to sample. */
export interface SampleJob {
  /** Seed of its draws. */
  readonly seed: number;
}

serveJobs<SampleSetup, SampleJob, Int32Array>(async (setup) => {
  await useBackend(setup.backend);
  const model = createLanguageModel(setup.config, setup.weights);
  const { vocabularySize } = model.description;
  return async ({ seed }) => {
    const first = setup.firstToken ?? createRandom(seed).integer(vocabularySize);
    const tokens = [first];
    const options = { temperature: 1, seed };
    for await (const token of generateTokens(model, Int32Array.of(first), options)) {
      if (tokens.push(token) >= setup.length) break;
    }
    return Int32Array.from(tokens);
  };
});
