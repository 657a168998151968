import type { Tensor2D } from "../../kan/numeric/tensor_types.ts";

/** Queries, keys and values of one token of each sequence: `headSize` values for each head. */
export interface Step {
  /** `[batch * heads, headSize]`, placed and scaled. */
  readonly queries: Float32Array;
  /** `[batch * keyValueHeads, headSize]`, placed. */
  readonly keys: Float32Array;
  /** `[batch * keyValueHeads, headSize]`. */
  readonly values: Float32Array;
  /** Features of a head. */
  readonly headSize: number;
  /** Tokens that are attended to at most, the new one included. */
  readonly slidingWindow: number;
  /** Cap of the scores, as `AttentionDescription.softCap`; Infinity where there is none. */
  readonly softCap: number;
}

/** Keys and values of one layer for the tokens seen so far, by sequence and head. */
export interface LayerCache {
  /**
   * Adds keys (transposed, `[headSize, length]`) and values (`[length, headSize]`) and returns all
   * of them, which stay valid until the next call.
   */
  append(
    keys: readonly Tensor2D[],
    values: readonly Tensor2D[],
  ): { keys: readonly Tensor2D[]; values: readonly Tensor2D[] };
  /** Adds one token and returns what its queries attend to, `[batch * heads, headSize]`. */
  attend?(step: Step): Float32Array;
  /** Frees what is held. */
  dispose(): void;
}
