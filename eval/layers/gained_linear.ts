import * as tf from "@tensorflow/tfjs";
import type { LinearDescription } from "../architectures/description.ts";
import type { ForwardPass } from "./forward_pass.ts";
import type { LinearGains } from "./tap.ts";

/** y = ((x · input gains) W) · output gains + b for `[tokens, inputs]`. */
export function applyGainedLinear(
  pass: ForwardPass,
  linear: LinearDescription,
  gains: LinearGains,
  x: tf.Tensor2D,
): tf.Tensor2D {
  const { tap, parameters } = pass;
  const multiply = (x: tf.Tensor2D): tf.Tensor2D =>
    tf.matMul(tf.mul(x, gains.inputs), parameters.matrix(linear.weight));
  const finish = (product: tf.Tensor2D): tf.Tensor2D => {
    const y: tf.Tensor2D = tf.mul(product, gains.outputs);
    return linear.bias === undefined ? y : tf.add(y, parameters.vector(linear.bias));
  };
  if (tap?.gainGradients === undefined) return tf.tidy(() => finish(multiply(x)));
  const operation = tf.customGrad((...given) => {
    const [x, save] = given as unknown as [tf.Tensor2D, tf.GradSaveFunc];
    const product = multiply(x);
    save([x, product]);
    return {
      value: finish(product),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
        const [x, product] = saved as [tf.Tensor2D, tf.Tensor2D];
        const dProduct: tf.Tensor2D = tf.mul(dy as tf.Tensor2D, gains.outputs);
        const dScaled: tf.Tensor2D = tf.matMul(
          dProduct,
          parameters.transposedMatrix(linear.weight),
        );
        tap.gainGradients!(linear.weight, {
          inputs: tf.sum(tf.mul(dScaled, x), 0),
          outputs: tf.sum(tf.mul(dy, product), 0),
        });
        if (tap.weightGradient !== undefined) {
          const scaled: tf.Tensor2D = tf.mul(x, gains.inputs);
          tap.weightGradient(linear.weight, tf.matMul(scaled, dProduct, true));
        }
        if (linear.bias !== undefined) tap.vectorGradient?.(linear.bias, tf.sum(dy, 0));
        return [tf.mul(dScaled, gains.inputs)];
      },
    };
  });
  return operation(x) as tf.Tensor2D;
}
