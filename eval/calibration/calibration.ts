import type { OutputMoment } from "../../hierarchy/metric/tensor_metric.ts";

/** What calibration found out about one linear layer y = W x. */
export interface LinearCalibration {
  /** Axis of the stored weight that runs over inputs: 1 for `[out, in]`, 0 for `[in, out]`. */
  readonly inputAxis: 0 | 1;
  /**
   * Second moment of the inputs, n × n, row-major: E[e^p x xᵀ] / E[e^p], where e is the squared
   * gradient by the outputs of the layers that share them, and p a third (see docs/theory.md); E[x xᵀ]
   * where no backward pass was run. Expanded anew from its triangle at each access: keep it in a
   * variable where it is used more than once.
   */
  readonly hessian: Float64Array;
  /** Weight names of the layers that share these inputs, and so the Hessian. */
  readonly sharedWith: readonly string[];
  /** Number of tokens that all this is a mean over, where that is known. */
  readonly tokens?: number;
  /**
   * E[e^p (∂loss/∂y_i)² / e] · E[e] / E[e^p] of each output with labels drawn from the model, which sum
   * up to E[e]; for the head, the mean of q (1 - q) of each logit with the probability q. Absent where
   * no backward pass was run.
   */
  readonly fisher?: Float64Array;
  /** How those gradients go together; absent for the head. */
  readonly outputMoments?: readonly OutputMoment[];
}

/** Statistics of a model's activations over a text. */
export interface Calibration {
  /** Number of tokens that went through the model. */
  readonly tokens: number;
  /** Tokens of a chunk: the positions that were seen. */
  readonly contextLength: number;
  /**
   * The share of the divergence of what is compressed that endless text of the same kind would save,
   * about; where a share was asked for.
   */
  readonly loss?: number;
  /** The linear layers by the name of their weight; the head's may be the token embedding's. */
  readonly linears: ReadonlyMap<string, LinearCalibration>;
  /** How often each token of the vocabulary was an input, as a share of all tokens. */
  readonly tokenFrequencies: Float64Array;
  /**
   * E[e^p ∇ ∇ᵀ / e] · E[e] / E[e^p] of the loss' gradient by the features of the embedded tokens,
   * whose squared norm is e, where a backward pass was run: row-major, as many rows as features.
   */
  readonly embeddingMoment?: Float64Array;
}
