import type { TransformerDescription } from "../architectures/description.ts";
import type { PreparedWeights } from "../weights/prepared_weights.ts";

/** A factor for each row and each column of a matrix as it is stored: w'[i][j] = r[i] w[i][j] c[j]. */
export interface MatrixGains {
  /** As many as the first size of the tensor's shape. */
  readonly rows: Float32Array;
  /** As many as the second size. */
  readonly columns: Float32Array;
}

/** What is trained beside frozen codes, by the names of tensors; a tied tensor counts once. */
export interface Trainables {
  /** Gains of every matrix: linear layers, embeddings of tokens and positions, the head. */
  readonly gains: ReadonlyMap<string, MatrixGains>;
  /** Every vector whole, as it is stored: scales and shifts of norms, biases of linear layers. */
  readonly vectors: ReadonlyMap<string, Float32Array>;
}

/** What one step found out. */
export interface TrainingStep {
  /** Mean over all positions of the divergence KL(original ‖ trained), in nats. */
  readonly loss: number;
  /** Gradient of the loss by what is trained: the same names and lengths. */
  readonly gradients: Trainables;
  /**
   * Gradient by every matrix W as it is stored, before its gains, where it was asked for: values in the
   * order of the tensor's.
   */
  readonly weights?: ReadonlyMap<string, Float32Array>;
}

/** How a step is run. */
export interface StepOptions {
  /** Whether gradients by all matrices are wanted, which takes memory and time. */
  readonly weightGradients?: boolean;
  /** Stops the work with the signal's reason. */
  readonly signal?: AbortSignal;
}

/**
 * Differentiates the divergence of a compressed model from its original by what is trained. Positions
 * of chunks all count alike. What the original makes of a chunk (by the identity of its array) may be
 * kept, so that a chunk that comes again costs less.
 */
export interface Trainer {
  /** Loss and gradients over chunks of tokens, all of one length. */
  step(
    chunks: readonly Int32Array[],
    at: Trainables,
    options?: StepOptions,
  ): Promise<TrainingStep>;
  /** The loss alone. */
  loss(
    chunks: readonly Int32Array[],
    at: Trainables,
    options?: Pick<StepOptions, "signal">,
  ): Promise<number>;
  /** Puts other values in the place of some of the compressed model's. */
  replaceWeights?(weights: ReadonlyMap<string, Float32Array>): void;
  /** Frees what is held. */
  close(): Promise<void>;
}

/** What a trainer is made of. */
export interface TrainerOptions {
  /** The architecture; must predict next tokens. */
  readonly model: TransformerDescription;
  /** The weights of the original. */
  readonly original: PreparedWeights;
  /** The decoded weights of the compressed model, without gains. */
  readonly compressed: PreparedWeights;
  /** Number of threads, where the backend asks for one. */
  readonly threads: number;
}
