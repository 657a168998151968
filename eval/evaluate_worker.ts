import type { TransformerDescription } from "./architectures/description.ts";
import { type BackendName, useBackend } from "./backend.ts";
import { scoreChunks } from "./chunk_scorer.ts";
import { ParameterStore } from "./parameter_store.ts";
import type { PreparedWeights } from "./prepared_weights.ts";
import type { TokenScores } from "./token_scores.ts";
import { serveJobs } from "./worker_jobs.ts";

/** What each worker is given once. */
export interface EvaluateSetup {
  /** The architecture with its sizes. */
  readonly description: TransformerDescription;
  /** The original and perhaps the compressed weights, in shared memory. */
  readonly models: readonly PreparedWeights[];
  /** Whether weights stay in the worker's heap. */
  readonly resident: boolean;
  /** Tokens a chunk. */
  readonly contextLength: number;
  /** Where tfjs computes. */
  readonly backend: BackendName;
}

serveJobs<EvaluateSetup, Int32Array, TokenScores>(async (setup) => {
  await useBackend(setup.backend);
  const models = setup.models.map((weights) => ({
    description: setup.description,
    parameters: new ParameterStore(weights, setup.resident),
  }));
  return (tokens) => scoreChunks(models, tokens, setup.contextLength);
});
