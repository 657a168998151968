import type { TransformerDescription } from "../architectures/description.ts";
import { type TfjsBackend, useBackend } from "../compute/backend.ts";
import { roundAlike } from "../kernels/layer_kernels.ts";
import type { PreparedWeights } from "../weights/prepared_weights.ts";
import { serveJobs } from "../../workers/serve_jobs.ts";
import { ChunkTrainer, type TrainingJob, type TrainingSums } from "./train_chunks.ts";

/** What each worker is given once; weights are in shared memory. */
export interface TrainSetup {
  readonly model: TransformerDescription;
  readonly original: PreparedWeights;
  readonly compressed: PreparedWeights;
  /** Whether weights stay in the worker's heap. */
  readonly resident: boolean;
  /** Where tfjs computes. */
  readonly backend: TfjsBackend;
}

serveJobs<TrainSetup, TrainingJob, TrainingSums>(async (setup) => {
  roundAlike();
  await useBackend(setup.backend);
  const { model, original, compressed, resident } = setup;
  const trainer = new ChunkTrainer(model, original, compressed, resident);
  return (job) => trainer.run(job);
});
