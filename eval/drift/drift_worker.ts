import { serveJobs } from "../../workers/serve_jobs.ts";
import type { TransformerDescription } from "../architectures/description.ts";
import { useBackend } from "../compute/backend.ts";
import { roundAlike } from "../kernels/layer_kernels.ts";
import { receiveWeights, type SentTensor } from "../weights/prepared_weights.ts";
import { type DriftJob, multiplyHere, runLayerJob } from "./drift_job.ts";
import { type DriftFit, fitDrift } from "./fit_drift.ts";

/** What each worker is given once. */
export interface DriftSetup {
  readonly description: TransformerDescription;
  /** The original's weights, in shared memory. */
  readonly weights: ReadonlyMap<string, SentTensor>;
}

serveJobs<DriftSetup, DriftJob, DriftFit | undefined>(
  async ({ description, weights }) => {
    roundAlike();
    await useBackend("wasm");
    const model = { description, original: receiveWeights(weights) };
    return async (job) => {
      if (job.kind === "fit") return await fitDrift(job, multiplyHere);
      runLayerJob(model, job);
      return undefined;
    };
  },
  (fit) => fit === undefined ? [] : [fit.change.buffer as ArrayBuffer],
);
