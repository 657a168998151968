import * as tf from "@tensorflow/tfjs";
import type { Tensor2D } from "./tensor_types.ts";

/**
 * The product of [m, k] and [k, n] matrices. Its gradient transposes before it multiplies: the WASM
 * backend multiplies transposed factors 3 to 30 times more slowly.
 *
 * ```ts
 * import { matMul } from "@kanpress/kanpress/kan/layers";
 * import * as tf from "@tensorflow/tfjs";
 * import assert from "node:assert";
 *
 * const product = matMul(tf.tensor2d([[1, 2]]), tf.tensor2d([[3], [4]]));
 * assert.deepEqual(await product.data(), Float32Array.of(11));
 * ```
 */
export function matMul(left: Tensor2D, right: Tensor2D): Tensor2D {
  const multiply = tf.customGrad((...inputs) => {
    const [a, b, save] = inputs as unknown as [Tensor2D, Tensor2D, tf.GradSaveFunc];
    save([a, b]);
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) => [
      matMul(dy as Tensor2D, tf.transpose(saved[1] as Tensor2D)),
      matMul(tf.transpose(saved[0] as Tensor2D), dy as Tensor2D),
    ];
    return { value: tf.matMul(a, b), gradFunc };
  });
  return multiply(left, right) as Tensor2D;
}
