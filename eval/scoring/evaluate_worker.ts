import type { TransformerDescription } from "../architectures/description.ts";
import { type TfjsBackend, useBackend } from "../compute/backend.ts";
import { roundAlike } from "../kernels/layer_kernels.ts";
import { ParameterStore } from "../weights/parameter_store.ts";
import { receiveWeights, type SentTensor } from "../weights/prepared_weights.ts";
import type { ScoringJob } from "../scores/scoring_jobs.ts";
import type { TokenScores } from "../scores/token_scores.ts";
import { runJob, scoreRows } from "./window_scorer.ts";
import { serveJobs } from "../../workers/serve_jobs.ts";

/** What each worker is given once. */
export interface EvaluateSetup {
  /** The architecture with its sizes. */
  readonly description: TransformerDescription;
  /** The original and perhaps the compressed weights, in shared memory. */
  readonly models: readonly ReadonlyMap<string, SentTensor>[];
  /** Whether weights stay in the worker's heap. */
  readonly resident: boolean;
  /** Whether the original's hidden states are to be returned. */
  readonly keepsBase: boolean;
  /** Where tfjs computes. */
  readonly backend: TfjsBackend;
  /** Whether it rounds alike on every machine. */
  readonly roundsAlike: boolean;
}

/** What is scored at once. */
export interface EvaluateJob extends ScoringJob {
  /** The original's hidden states of an earlier run, instead of running it. */
  readonly base?: Float32Array;
}

/** What scoring gave. */
export interface EvaluateJobResult {
  /** The scores of the job's rows. */
  readonly scores: TokenScores;
  /** The original's hidden states, where they were asked for. */
  readonly base?: Float32Array;
}

serveJobs<EvaluateSetup, EvaluateJob, EvaluateJobResult>(async (setup) => {
  if (setup.roundsAlike) roundAlike();
  await useBackend(setup.backend);
  const models = setup.models.map((weights) => ({
    description: setup.description,
    parameters: new ParameterStore(receiveWeights(weights), setup.resident),
  }));
  return async (job) => {
    const rows: Float32Array[] = [];
    for (const model of models) {
      const known = rows.length === 0 ? job.base : undefined;
      rows.push(known ?? await runJob(model, job));
    }
    const scores = await scoreRows(models, rows, job.labels);
    return { scores, ...(setup.keepsBase && { base: rows[0]! }) };
  };
});
