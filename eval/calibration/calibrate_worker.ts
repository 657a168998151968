import type { TransformerDescription } from "../architectures/description.ts";
import { type TfjsBackend, useBackend } from "../compute/backend.ts";
import { roundAlike } from "../kernels/layer_kernels.ts";
import { ParameterStore } from "../weights/parameter_store.ts";
import { receiveWeights, type SentTensor } from "../weights/prepared_weights.ts";
import { serveJobs } from "../../workers/serve_jobs.ts";
import { calibrateChunks, type CalibrationJob, type SharedMoments } from "./calibrate_chunks.ts";

/** What each worker is given once. */
export interface CalibrateSetup {
  /** The architecture with its sizes. */
  readonly description: TransformerDescription;
  /** The weights, in shared memory. */
  readonly weights: ReadonlyMap<string, SentTensor>;
  /** Whether weights stay in the worker's heap. */
  readonly resident: boolean;
  /** Where tfjs computes. */
  readonly backend: TfjsBackend;
  /** The sums that all workers add to, in shared memory. */
  readonly moments: SharedMoments;
}

serveJobs<CalibrateSetup, CalibrationJob, Float64Array | undefined>(async (setup) => {
  roundAlike();
  await useBackend(setup.backend);
  const parameters = new ParameterStore(receiveWeights(setup.weights), setup.resident);
  const model = { description: setup.description, parameters };
  return (job) => calibrateChunks(model, setup.moments, job);
});
