import * as tf from "@tensorflow/tfjs";
import type { LayerCache } from "./layer_cache.ts";

/** Keeps keys and values as tensors, for backends that cannot be read at once. */
export class TensorLayerCache implements LayerCache {
  #keys: tf.Tensor2D[] = [];
  #values: tf.Tensor2D[] = [];

  append(keys: readonly tf.Tensor2D[], values: readonly tf.Tensor2D[]) {
    const old = [...this.#keys, ...this.#values];
    this.#keys = extend(this.#keys, keys, 1);
    this.#values = extend(this.#values, values, 0);
    tf.dispose(old);
    return { keys: this.#keys, values: this.#values };
  }

  dispose(): void {
    tf.dispose([this.#keys, this.#values]);
    this.#keys = [];
    this.#values = [];
  }
}

function extend(
  old: readonly tf.Tensor2D[],
  added: readonly tf.Tensor2D[],
  axis: 0 | 1,
): tf.Tensor2D[] {
  return added.map((tensor, i) =>
    tf.keep(old[i] === undefined ? tf.clone(tensor) : tf.concat2d([old[i], tensor], axis))
  );
}
