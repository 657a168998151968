import type { TransformerDescription } from "../architectures/description.ts";
import { InputError } from "../../data/input_error.ts";
import type { PreparedWeights } from "../weights/prepared_weights.ts";
import type { Device } from "./device.ts";
import { type BasedJob, JobScorer, type JobScores } from "./job_scorer.ts";

/** What {@linkcode scoreJobs} is given. */
export interface ScoreJobsOptions {
  readonly model: TransformerDescription;
  /** The original and perhaps the compressed weights. */
  readonly weights: readonly PreparedWeights[];
  readonly jobs: readonly BasedJob[];
  /** Whether the original's hidden states are to be returned. */
  readonly keepsBase: boolean;
  /** Called after each job. */
  readonly onResult: () => void;
  /** Stops the work between jobs with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** Scores jobs on a device, one after another. */
export async function scoreJobs(
  device: Device,
  { model, weights, jobs, keepsBase, onResult, signal }: ScoreJobsOptions,
): Promise<JobScores[]> {
  signal?.throwIfAborted();
  const results: JobScores[] = [];
  if (jobs.length === 0) return results;
  device.gpu.pushErrorScope("out-of-memory");
  const scorer = new JobScorer(device, model, weights, jobs);
  if (await device.gpu.popErrorScope() !== null) {
    throw new InputError(
      "the graphics card has too little memory for the model; choose the backend wasm",
    );
  }
  for (const job of jobs) {
    signal?.throwIfAborted();
    results.push(await scorer.score(job, keepsBase));
    onResult();
  }
  return results;
}
