import * as tf from "@tensorflow/tfjs";

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

const activations: ReadonlyMap<string, Activation> = new Map<string, Activation>([
  ["gelu", gelu],
  ["gelu_fast", geluTanh],
  ["gelu_new", geluTanh],
  ["gelu_pytorch_tanh", geluTanh],
  ["quick_gelu", (x) => tf.mul(x, tf.sigmoid(tf.mul(x, 1.702)))],
  ["relu", (x) => tf.relu(x)],
  ["silu", silu],
  ["swish", silu],
]);

/** Names of the activation functions that a config may ask for. */
export const activationNames: readonly string[] = [...activations.keys()];

/** Applies an activation function of {@linkcode activationNames} to each value. */
export function activate(name: string, x: tf.Tensor2D): tf.Tensor2D {
  const activation = activations.get(name);
  if (activation === undefined) throw new RangeError(`unknown activation function ${name}`);
  return tf.tidy(() => activation(x));
}
