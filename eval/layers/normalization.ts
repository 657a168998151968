import * as tf from "@tensorflow/tfjs";
import type { NormDescription } from "../architectures/description.ts";
import { layerKernels } from "../kernels/layer_kernels.ts";
import { type Norm, normalizeGradient, normalizeRows } from "../kernels/normalize_rows.ts";
import { differentiable } from "./differentiable.ts";
import type { ForwardPass } from "./forward_pass.ts";

/** Layer or root-mean-square normalization of each row of `[rows, size]`. */
export function applyNorm(pass: ForwardPass, norm: NormDescription, x: tf.Tensor2D): tf.Tensor2D {
  return differentiable(
    pass,
    [x],
    (x) => normalize(pass, norm, x),
    (dy, x) => [normGradient(pass, norm, x, dy)],
  );
}

function normalize(pass: ForwardPass, norm: NormDescription, x: tf.Tensor2D): tf.Tensor2D {
  const kernels = layerKernels();
  if (kernels !== undefined) return normalizeRows(kernels, x, withVectors(pass, norm));
  return tf.tidy(() => {
    const { normalized } = standardize(norm, x);
    const scaled = tf.mul(normalized, scaleOf(pass, norm));
    if (norm.bias === undefined) return scaled as tf.Tensor2D;
    return tf.add(scaled, pass.parameters.vector(norm.bias)) as tf.Tensor2D;
  });
}

function withVectors({ parameters }: ForwardPass, norm: NormDescription): Norm {
  const { kind, size, epsilon, weightOffset = 0 } = norm;
  const bias = norm.bias === undefined ? undefined : parameters.vector(norm.bias);
  return { kind, size, epsilon, weightOffset, weight: parameters.vector(norm.weight), bias };
}

function scaleOf(pass: ForwardPass, { weight, weightOffset }: NormDescription): tf.Tensor1D {
  const stored = pass.parameters.vector(weight);
  return weightOffset === undefined ? stored : tf.add(stored, weightOffset);
}

function standardize(norm: NormDescription, x: tf.Tensor2D) {
  const centred = norm.kind === "layerNorm" ? tf.sub(x, tf.mean(x, 1, true)) : x;
  const variance = tf.mean(tf.square(centred), 1, true);
  const inverse = tf.rsqrt(tf.add(variance, norm.epsilon));
  return { normalized: tf.mul(centred, inverse), inverse };
}

/** Gradient of a norm by its input `x`, given that by its output; a tap is told those by its vectors. */
export function normGradient(
  pass: ForwardPass,
  norm: NormDescription,
  x: tf.Tensor2D,
  dy: tf.Tensor2D,
): tf.Tensor2D {
  const kernels = pass.tap?.vectorGradient === undefined ? layerKernels() : undefined;
  if (kernels !== undefined) return normalizeGradient(kernels, x, withVectors(pass, norm), dy);
  return tf.tidy(() => {
    const { normalized, inverse } = standardize(norm, x);
    pass.tap?.vectorGradient?.(norm.weight, tf.sum(tf.mul(dy, normalized), 0));
    if (norm.bias !== undefined) pass.tap?.vectorGradient?.(norm.bias, tf.sum(dy, 0));
    const scaled = tf.mul(dy, scaleOf(pass, norm));
    const along = tf.mul(normalized, tf.mean(tf.mul(scaled, normalized), 1, true));
    const rest = tf.sub(scaled, along);
    const centred = norm.kind === "layerNorm" ? tf.sub(rest, tf.mean(scaled, 1, true)) : rest;
    return tf.mul(centred, inverse) as tf.Tensor2D;
  });
}
