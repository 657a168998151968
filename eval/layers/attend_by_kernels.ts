import * as tf from "@tensorflow/tfjs";
import type { AttentionDescription, NormDescription } from "../architectures/description.ts";
import {
  attendHeads,
  attendHeadsGradient,
  copyHeads,
  type HeadAttention,
  putHeads,
  rotateHeads,
} from "../kernels/attend_heads.ts";
import type { LayerKernels } from "../kernels/layer_kernels.ts";
import type { ForwardPass } from "./forward_pass.ts";
import { joinedSlot } from "./joined_slot.ts";
import { applyNorm, normGradient } from "./normalization.ts";

/** The attention between the projections and the output layer, all heads in few calls. */
export function attendByKernels(
  pass: ForwardPass,
  kernels: LayerKernels,
  attention: AttentionDescription,
  projected: readonly tf.Tensor2D[],
): tf.Tensor2D {
  const { heads } = placedHeads(pass, kernels, attention, projected);
  return attendHeads(kernels, headAttention(pass, attention), heads);
}

/** Gradients of {@linkcode attendByKernels} by what the projections gave. */
export function attendByKernelsGradient(
  pass: ForwardPass,
  kernels: LayerKernels,
  attention: AttentionDescription,
  projected: readonly tf.Tensor2D[],
  dy: tf.Tensor2D,
): tf.Tensor2D[] {
  const { queryNorm, keyNorm, headSize } = attention;
  const { queries, keys, heads } = placedHeads(pass, kernels, attention, projected);
  const sizes = headAttention(pass, attention);
  const { queries: dQueries, keys: dKeys, values } = attendHeadsGradient(kernels, sizes, heads, dy);
  const gradients = [
    placeGradient(pass, kernels, attention, queryNorm, queries, dQueries),
    placeGradient(pass, kernels, attention, keyNorm, keys, dKeys),
    values,
  ];
  if (attention.projection.kind === "separate") return gradients;
  const joined = kernels.allocate(...projected[0]!.shape);
  gradients.forEach((gradient, role) =>
    putHeads(kernels, gradient, slotsOf(attention, role), headSize, joined)
  );
  return [joined];
}

function headAttention(pass: ForwardPass, attention: AttentionDescription): HeadAttention {
  const { heads, keyValueHeads, headSize, scale, softCap, slidingWindow } = attention;
  const { batch, length, causal } = pass;
  const sizes = { batch, length, heads, keyValueHeads, headSize };
  return { ...sizes, scale, softCap, causal, slidingWindow };
}

/** Queries and keys as they are projected, and all heads as they attend: `[tokens, heads * headSize]`. */
function placedHeads(
  pass: ForwardPass,
  kernels: LayerKernels,
  attention: AttentionDescription,
  projected: readonly tf.Tensor2D[],
) {
  const { projection, queryNorm, keyNorm, headSize } = attention;
  const [queries, keys, values] = projection.kind === "separate"
    ? [projected[0]!, projected[1]!, projected[2]!] as const
    : [0, 1, 2].map((role) =>
      copyHeads(kernels, projected[0]!, slotsOf(attention, role), headSize)
    ) as [tf.Tensor2D, tf.Tensor2D, tf.Tensor2D];
  const heads = {
    queries: placeHeads(pass, kernels, attention, queryNorm, queries),
    keys: placeHeads(pass, kernels, attention, keyNorm, keys),
    values,
  };
  return { queries, keys, heads };
}

/** Where the heads of a role stand in what a joined projection gives. */
function slotsOf(attention: AttentionDescription, role: number): number[] {
  const count = role === 0 ? attention.heads : attention.keyValueHeads;
  return Array.from({ length: count }, (_, head) => joinedSlot(attention, role, head));
}

/** Heads, normalized and rotated as the model asks. */
function placeHeads(
  pass: ForwardPass,
  kernels: LayerKernels,
  attention: AttentionDescription,
  norm: NormDescription | undefined,
  x: tf.Tensor2D,
): tf.Tensor2D {
  const normed = norm === undefined
    ? x
    : tf.reshape(applyNorm(pass, norm, byHead(attention, x)), x.shape) as tf.Tensor2D;
  return rotateBy(pass, kernels, attention, normed, 1);
}

/** Gradient of {@linkcode placeHeads}. */
function placeGradient(
  pass: ForwardPass,
  kernels: LayerKernels,
  attention: AttentionDescription,
  norm: NormDescription | undefined,
  x: tf.Tensor2D,
  dy: tf.Tensor2D,
): tf.Tensor2D {
  const turned = rotateBy(pass, kernels, attention, dy, -1);
  if (norm === undefined) return turned;
  return tf.reshape(
    normGradient(pass, norm, byHead(attention, x), byHead(attention, turned)),
    x.shape,
  );
}

function rotateBy(
  pass: ForwardPass,
  kernels: LayerKernels,
  { rotary, headSize }: AttentionDescription,
  x: tf.Tensor2D,
  sign: 1 | -1,
): tf.Tensor2D {
  if (rotary === undefined) return x;
  const { cosine, sine } = pass.rotaryTables(rotary, headSize);
  return rotateHeads(kernels, x, { pairs: rotary.dimensions / 2, cosine, sine }, sign);
}

/** A row for each token's head. */
function byHead({ headSize }: AttentionDescription, x: tf.Tensor2D): tf.Tensor2D {
  return tf.reshape(x, [x.size / headSize, headSize]) as tf.Tensor2D;
}
