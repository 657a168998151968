import * as tf from "@tensorflow/tfjs";
import type { AttentionDescription, NormDescription } from "../architectures/description.ts";
import type { ForwardPass } from "./forward_pass.ts";
import { applyNorm, normGradient } from "./normalization.ts";
import { rotate, rotateBack } from "./rotary.ts";

/** A head's query, normalized, rotated and scaled as the model asks. */
export function placeQuery(
  pass: ForwardPass,
  attention: AttentionDescription,
  query: tf.Tensor2D,
): tf.Tensor2D {
  return tf.mul(place(pass, attention, attention.queryNorm, query), attention.scale);
}

/** Gradient of {@linkcode placeQuery}. */
export function placeQueryGradient(
  pass: ForwardPass,
  attention: AttentionDescription,
  query: tf.Tensor2D,
  dy: tf.Tensor2D,
): tf.Tensor2D {
  const scaled: tf.Tensor2D = tf.mul(dy, attention.scale);
  return placeGradient(pass, attention, attention.queryNorm, query, scaled);
}

/** A head's key, normalized and rotated as the model asks. */
export function placeKey(
  pass: ForwardPass,
  attention: AttentionDescription,
  key: tf.Tensor2D,
): tf.Tensor2D {
  return place(pass, attention, attention.keyNorm, key);
}

/** Gradient of {@linkcode placeKey}. */
export function placeKeyGradient(
  pass: ForwardPass,
  attention: AttentionDescription,
  key: tf.Tensor2D,
  dy: tf.Tensor2D,
): tf.Tensor2D {
  return placeGradient(pass, attention, attention.keyNorm, key, dy);
}

function place(
  pass: ForwardPass,
  { rotary, headSize }: AttentionDescription,
  norm: NormDescription | undefined,
  x: tf.Tensor2D,
): tf.Tensor2D {
  const normed = norm === undefined ? x : applyNorm(pass, norm, x);
  return rotary === undefined ? normed : rotate(normed, pass.rotaryTables(rotary, headSize));
}

function placeGradient(
  pass: ForwardPass,
  { rotary, headSize }: AttentionDescription,
  norm: NormDescription | undefined,
  x: tf.Tensor2D,
  dy: tf.Tensor2D,
): tf.Tensor2D {
  const turned = rotary === undefined ? dy : rotateBack(dy, pass.rotaryTables(rotary, headSize));
  return norm === undefined ? turned : normGradient(pass, norm, x, turned);
}
