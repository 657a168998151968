import * as tf from "@tensorflow/tfjs";

/** Rows of a matrix, in a new one. */
export function gatherRows(x: tf.Tensor2D, rows: Int32Array): tf.Tensor2D {
  return tf.tidy(() => tf.gather(x, tf.tensor1d(rows, "int32")) as tf.Tensor2D);
}
