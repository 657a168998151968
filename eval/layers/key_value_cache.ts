import * as tf from "@tensorflow/tfjs";
import type { Tensor2D } from "../../kan/tensor_types.ts";
import { HostLayerCache } from "./host_layer_cache.ts";
import { TensorLayerCache } from "./tensor_layer_cache.ts";

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

/**
 * Keys and values of all layers, so that generation runs each token once. Backends that can be read
 * at once keep them outside tfjs: hundreds of small tensor operations a token would cost far more
 * than the arithmetic.
 */
export class KeyValueCache {
  #length = 0;
  readonly #layers: LayerCache[];

  /** An empty cache for a model of so many layers, to be used on the current backend. */
  constructor(layers: number) {
    const readsAtOnce = tf.getBackend() !== "webgpu";
    this.#layers = Array.from(
      { length: layers },
      () => readsAtOnce ? new HostLayerCache() : new TensorLayerCache(),
    );
  }

  /** Number of tokens seen. */
  get length(): number {
    return this.#length;
  }

  /** Called after a forward pass over `count` further tokens. */
  advance(count: number): void {
    this.#length += count;
  }

  /** The part of layer `index`. */
  layer(index: number): LayerCache {
    return this.#layers[index]!;
  }

  /** Forgets all tokens and frees the tensors. */
  dispose(): void {
    for (const layer of this.#layers) layer.dispose();
    this.#length = 0;
  }
}
