import type { TransformerDescription } from "../architectures/description.ts";
import type { PreparedWeights } from "../weights/prepared_weights.ts";
import type { ScoringJob } from "../scores/scoring_jobs.ts";
import type { TokenScores } from "../scores/token_scores.ts";
import { NativeModel } from "./native_model.ts";
import { requireNativeRuntime } from "./runtime.ts";
import { scoreRows } from "./score_rows.ts";
import { NativeSessions } from "./sessions.ts";

/** What {@linkcode scoreJobs} is given. */
export interface NativeScoringOptions {
  readonly model: TransformerDescription;
  /** The original and perhaps the compressed weights. */
  readonly weights: readonly PreparedWeights[];
  /** The jobs, and where it is known what `base` was in an earlier run. */
  readonly jobs: readonly (ScoringJob & { readonly base?: Float32Array })[];
  /** Number of threads. */
  readonly threads: number;
  /** Whether the original's finished rows are to be returned. */
  readonly keepsBase: boolean;
  /** Called after each job. */
  readonly onResult: () => void;
  /** Stops the work between jobs with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** What scoring a job gives. */
export interface NativeJobScores {
  /** The scores of the job's rows. */
  readonly scores: TokenScores;
  /** The original's hidden states before the head, where they were asked for. */
  readonly base?: Float32Array;
}

/** Scores jobs on the native runtime, one after another. */
export async function scoreJobs(
  { model, weights, jobs, threads, keepsBase, onResult, signal }: NativeScoringOptions,
): Promise<NativeJobScores[]> {
  const sessions = new NativeSessions(requireNativeRuntime(), threads);
  try {
    const models = weights.map((own) => new NativeModel(sessions, model, own));
    const results: NativeJobScores[] = [];
    for (const job of jobs) {
      signal?.throwIfAborted();
      const finished: Float32Array[] = [];
      for (const [index, own] of models.entries()) {
        const known = index === 0 ? job.base : undefined;
        finished.push(known ?? await finishedRows(own, job));
      }
      const scores = await scoreRows(models, finished, job.labels);
      results.push({ scores, ...(keepsBase && { base: finished[0]! }) });
      onResult();
    }
    return results;
  } finally {
    await sessions.close();
  }
}

/** The states of a job that count, as they go to the head. */
async function finishedRows(
  model: NativeModel,
  { tokens, batch, rows }: ScoringJob,
): Promise<Float32Array> {
  const { hiddenSize, objective } = model.description;
  const length = tokens.length / batch;
  const states = await model.run(tokens, { batch, length });
  // A classifier's rows are numbers of sequences, of which the first token counts.
  const step = objective === "classification" ? length : 1;
  const picked = new Float32Array(rows.length * hiddenSize);
  rows.forEach((row, index) => {
    const from = row * step * hiddenSize;
    picked.set(states.subarray(from, from + hiddenSize), index * hiddenSize);
  });
  return await model.finish(picked);
}
