import * as tf from "@tensorflow/tfjs";
import type { NormDescription } from "../architectures/description.ts";
import type { ForwardPass } from "./forward_pass.ts";

/** Layer or root-mean-square normalization of each row of `[rows, size]`. */
export function applyNorm(pass: ForwardPass, norm: NormDescription, x: tf.Tensor2D): tf.Tensor2D {
  return tf.tidy(() => {
    const centred = norm.kind === "layerNorm" ? tf.sub(x, tf.mean(x, 1, true)) : x;
    const variance = tf.mean(tf.square(centred), 1, true);
    const normalized = tf.mul(centred, tf.rsqrt(tf.add(variance, norm.epsilon)));
    const scaled = tf.mul(normalized, pass.parameters.vector(norm.weight));
    if (norm.bias === undefined) return scaled as tf.Tensor2D;
    return tf.add(scaled, pass.parameters.vector(norm.bias)) as tf.Tensor2D;
  });
}
