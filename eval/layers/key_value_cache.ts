import type { LayerCache } from "./layer_cache.ts";
import * as tf from "@tensorflow/tfjs";
import { HostLayerCache } from "./host_layer_cache.ts";
import { TensorLayerCache } from "./tensor_layer_cache.ts";

/**
 * Keys and values of all layers, so that generation runs each token once. Backends that can be read
 * at once keep them outside tfjs: hundreds of small tensor operations a token would cost far more
 * than the arithmetic.
 */
export class KeyValueCache {
  #length = 0;
  readonly #layers: LayerCache[];

  /** An empty cache for a model of this many layers, to be used on the current backend. */
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

  /**
   * Called after a forward pass over `count` further tokens.
   *
   * @internal
   */
  advance(count: number): void {
    this.#length += count;
  }

  /**
   * The part of layer `index`.
   *
   * @internal
   */
  layer(index: number): LayerCache {
    return this.#layers[index]!;
  }

  /** Forgets all tokens and frees the tensors. */
  dispose(): void {
    for (const layer of this.#layers) layer.dispose();
    this.#length = 0;
  }
}
