import * as tf from "@tensorflow/tfjs";
import type { Tensor2D } from "../../kan/tensor_types.ts";

/** Keys and values of one layer for the tokens seen so far, by sequence and head. */
export interface LayerCache {
  /**
   * Adds keys (transposed, `[headSize, length]`) and values (`[length, headSize]`) and returns all
   * of them, which stay valid until the next call.
   */
  append(
    keys: readonly Tensor2D[],
    values: readonly Tensor2D[],
  ): { keys: Tensor2D[]; values: Tensor2D[] };
}

/** Keys and values of all layers, so that generation runs each token once. */
export class KeyValueCache {
  #length = 0;
  readonly #layers: { keys: Tensor2D[]; values: Tensor2D[] }[];

  /** An empty cache for a model of so many layers. */
  constructor(layers: number) {
    this.#layers = Array.from({ length: layers }, () => ({ keys: [], values: [] }));
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
    const state = this.#layers[index]!;
    const extend = (
      old: readonly Tensor2D[],
      added: readonly Tensor2D[],
      axis: 0 | 1,
    ) =>
      added.map((tensor, i) =>
        tf.keep(old[i] === undefined ? tf.clone(tensor) : tf.concat2d([old[i], tensor], axis))
      );
    return {
      append(keys, values) {
        const extended = {
          keys: extend(state.keys, keys, 1),
          values: extend(state.values, values, 0),
        };
        tf.dispose([state.keys, state.values]);
        Object.assign(state, extended);
        return extended;
      },
    };
  }

  /** Frees the tensors. */
  dispose(): void {
    for (const layer of this.#layers) {
      tf.dispose([layer.keys, layer.values]);
      Object.assign(layer, { keys: [], values: [] });
    }
    this.#length = 0;
  }
}
