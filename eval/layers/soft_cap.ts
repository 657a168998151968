import * as tf from "@tensorflow/tfjs";

/** `cap * tanh(x / cap)`: keeps values within ±`cap` and small ones nearly as they are. */
export function softCap(x: tf.Tensor2D, cap: number): tf.Tensor2D {
  return tf.tidy(() => tf.mul(tf.tanh(tf.div(x, cap)), cap) as tf.Tensor2D);
}

/** Gradient of {@linkcode softCap} by its input, given its result `y` and the gradient by that. */
export function softCapGradient(y: tf.Tensor2D, cap: number, dy: tf.Tensor2D): tf.Tensor2D {
  return tf.tidy(() => tf.mul(dy, tf.sub(1, tf.square(tf.div(y, cap)))) as tf.Tensor2D);
}
