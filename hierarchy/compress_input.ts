import type { StateDict } from "../data/tensor.ts";
import type { FactoredMetrics, TensorMetrics } from "./metric/tensor_metric.ts";

/** What is known of a model beside its weights. */
export interface ModelDescription {
  /** The model's config.json; travels in the file, so that the file can be loaded by itself. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Name of the model. */
  readonly source?: string;
  /** `weightsDigest` of the weights, where it is known already. */
  readonly sourceSha256?: string;
}

/** A target in what compression does to a model, instead of one in size. */
export interface DivergenceTarget {
  /** The mean divergence that the model may have, in nats; it ends within 5 % below. */
  readonly most: number;
  /**
   * Measures the divergence of decompressed weights from the original, in nats; calls `progress` with
   * the share that is done. Called for each trial.
   */
  readonly measure: (weights: StateDict, progress: (share: number) => void) => Promise<number>;
  /** Names all that decides what is measured of given weights, beside the original. */
  readonly measuredBy: string;
}

/** A {@linkcode ModelDescription} and what calibration found out. */
export interface CompressInput extends ModelDescription {
  /** What errors in each matrix cost; matrices without a metric get steps by their size alone. */
  readonly metrics?: TensorMetrics | FactoredMetrics;
}
