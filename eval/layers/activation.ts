import * as tf from "@tensorflow/tfjs";
import type { ActivationName } from "../architectures/activation_names.ts";

type Activation = (x: tf.Tensor2D) => tf.Tensor2D;

/** x σ(2 √(2/π) (x + 0.044715 x³)), which equals the tanh form and avoids the slow tanh kernel. */
function geluTanh(x: tf.Tensor2D): tf.Tensor2D {
  const slope = 2 * Math.sqrt(2 / Math.PI);
  const inner = tf.add(tf.mul(tf.square(x), slope * 0.044715), slope);
  return tf.mul(x, tf.sigmoid(tf.mul(x, inner)));
}

/** x Φ(x) with the standard normal distribution function Φ. */
function gelu(x: tf.Tensor2D): tf.Tensor2D {
  return tf.mul(x, tf.add(tf.mul(tf.erf(tf.mul(x, Math.SQRT1_2)), 0.5), 0.5));
}

function silu(x: tf.Tensor2D): tf.Tensor2D {
  return tf.mul(x, tf.sigmoid(x));
}

const activations: Readonly<Record<ActivationName, Activation>> = {
  gelu,
  gelu_fast: geluTanh,
  gelu_new: geluTanh,
  gelu_pytorch_tanh: geluTanh,
  quick_gelu: (x) => tf.mul(x, tf.sigmoid(tf.mul(x, 1.702))),
  relu: (x) => tf.relu(x),
  silu,
  swish: silu,
};

/** Applies an activation function to each value. */
export function activate(name: ActivationName, x: tf.Tensor2D): tf.Tensor2D {
  return tf.tidy(() => activations[name](x));
}
