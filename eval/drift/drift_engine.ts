import type { TransformerDescription } from "../architectures/description.ts";
import type { PreparedWeights } from "../weights/prepared_weights.ts";
import type { DriftHalves, Multiply } from "./drift_sums.ts";
import type { DriftFit, FitAsk } from "./fit_drift.ts";

/** Equally long chunks of tokens, one after another. */
export interface Batch {
  readonly ids: Int32Array;
  /** Number of chunks. */
  readonly chunks: number;
}

/** What goes into a linear map, and others beside it. */
export interface LinearInput {
  /** Name of the map's weight. */
  readonly weight: string;
  /** Number of features. */
  readonly size: number;
}

/** Goes through an original and what is quantized of it side by side, layer by layer, on one text. */
export interface DriftEngine {
  /**
   * Runs the original through the layer ahead, seeing what goes into linear maps; before the first, embeds
   * the text for both.
   */
  enter(inputs: readonly LinearInput[]): Promise<void>;
  /**
   * Sums what quantized layers give one of them and what that misses, of the residual stream too where it
   * writes to that (see `residualWriters`); overwrites earlier sums.
   */
  compare(input: LinearInput): Promise<DriftHalves>;
  /** Runs the quantized model through the layer. */
  leave(): Promise<void>;
  /** Fits changes to sums. */
  fit(asks: readonly FitAsk[]): Promise<DriftFit[]>;
  /** Multiplies matrices. */
  readonly multiply: Multiply;
  /** Frees what it took. */
  close(): Promise<void>;
}

/** What an engine runs. */
export interface DriftEngineOptions {
  readonly model: TransformerDescription;
  readonly original: PreparedWeights;
  /** The quantized weights, as far as they are; more take the originals' places meanwhile. */
  readonly quantized: PreparedWeights;
  /** What is read. */
  readonly batches: readonly Batch[];
  readonly threads: number;
  /** Stops the work with its reason. */
  readonly signal?: AbortSignal | undefined;
}
