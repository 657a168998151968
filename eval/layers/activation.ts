import * as tf from "@tensorflow/tfjs";
import type { ActivationName } from "../architectures/activation_names.ts";

type Activation = (x: tf.Tensor2D) => tf.Tensor2D;

/** Applies functions one after another, and frees what each was given but `x`. */
function chain(x: tf.Tensor2D, ...functions: readonly Activation[]): tf.Tensor2D {
  return functions.reduce((y, apply) => {
    const result = apply(y);
    if (y !== x) y.dispose();
    return result;
  }, x);
}

/** x σ(2 √(2/π) (x + 0.044715 x³)), which equals the tanh form and avoids the slow tanh kernel. */
function geluTanh(x: tf.Tensor2D): tf.Tensor2D {
  const slope = 2 * Math.sqrt(2 / Math.PI);
  return chain(
    x,
    tf.square,
    (y) => tf.mul(y, slope * 0.044715),
    (y) => tf.add(y, slope),
    (y) => tf.mul(x, y),
    tf.sigmoid,
    (y) => tf.mul(x, y),
  );
}

/** x Φ(x) with the standard normal distribution function Φ. */
function gelu(x: tf.Tensor2D): tf.Tensor2D {
  return chain(
    x,
    (y) => tf.mul(y, Math.SQRT1_2),
    tf.erf,
    (y) => tf.mul(y, 0.5),
    (y) => tf.add(y, 0.5),
    (y) => tf.mul(x, y),
  );
}

function silu(x: tf.Tensor2D): tf.Tensor2D {
  return chain(x, tf.sigmoid, (y) => tf.mul(x, y));
}

const activations: Readonly<Record<ActivationName, Activation>> = {
  gelu,
  gelu_fast: geluTanh,
  gelu_new: geluTanh,
  gelu_pytorch_tanh: geluTanh,
  quick_gelu: (x) => chain(x, (y) => tf.mul(y, 1.702), tf.sigmoid, (y) => tf.mul(x, y)),
  relu: (x) => tf.relu(x),
  silu,
  swish: silu,
};

/** Applies an activation function to each value, and multiplies by `gated` where that is given. */
export function activate(
  name: ActivationName,
  x: tf.Tensor2D,
  gated?: tf.Tensor2D,
): tf.Tensor2D {
  return tf.tidy(() => {
    const y = activations[name](x);
    return gated === undefined ? y : tf.mul(y, gated);
  });
}
