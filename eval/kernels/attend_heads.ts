import type * as tf from "@tensorflow/tfjs";
import type { LayerKernels } from "./layer_kernels.ts";

/** How heads attend. */
export interface HeadAttention {
  /** Number of sequences. */
  readonly batch: number;
  /** Tokens of each. */
  readonly length: number;
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly headSize: number;
  readonly scale: number;
  readonly softCap: number | undefined;
  /** Whether a token attends to itself and those before it only. */
  readonly causal: boolean;
  /** To how many of them. */
  readonly slidingWindow: number | undefined;
}

/** Heads of all tokens, beside each other: `[tokens, heads * headSize]`. */
export interface HeadRows {
  readonly queries: tf.Tensor2D;
  readonly keys: tf.Tensor2D;
  readonly values: tf.Tensor2D;
}

/** The largest window that the kernel can be told. */
const NO_WINDOW = 2 ** 31 - 1;

/** The attention of all heads, `[tokens, heads * headSize]`. */
export function attendHeads(
  kernels: LayerKernels,
  attention: HeadAttention,
  { queries, keys, values }: HeadRows,
): tf.Tensor2D {
  const result = kernels.allocate(...queries.shape);
  forHeads(
    kernels,
    attention,
    ({ own, ownBytes, shared, sharedBytes, rest }) =>
      kernels.run.attendAll(
        ...[kernels.at(queries) + own, ownBytes] as const,
        ...[kernels.at(keys) + shared, sharedBytes] as const,
        ...[kernels.at(values) + shared, sharedBytes] as const,
        ...[kernels.at(result) + own, ownBytes] as const,
        ...rest,
      ),
  );
  return result;
}

/** Gradients of {@linkcode attendHeads} by queries, keys and values, given that by its result. */
export function attendHeadsGradient(
  kernels: LayerKernels,
  attention: HeadAttention,
  { queries, keys, values }: HeadRows,
  dy: tf.Tensor2D,
): HeadRows {
  const [toQueries, toKeys, toValues] = [queries, keys, values]
    .map(({ shape }) => kernels.zeros(...shape)) as [tf.Tensor2D, tf.Tensor2D, tf.Tensor2D];
  forHeads(
    kernels,
    attention,
    ({ own, ownBytes, shared, sharedBytes, rest }) =>
      kernels.run.attendGradient(
        ...[kernels.at(queries) + own, ownBytes] as const,
        ...[kernels.at(keys) + shared, sharedBytes] as const,
        ...[kernels.at(values) + shared, sharedBytes] as const,
        ...[kernels.at(dy) + own, kernels.at(toQueries) + own] as const,
        ...[kernels.at(toKeys) + shared, kernels.at(toValues) + shared] as const,
        ...rest,
      ),
  );
  return { queries: toQueries, keys: toKeys, values: toValues };
}

/** Where a head stands in the first row of its sequence, its strides, and what else kernels are given. */
interface HeadPlace {
  readonly own: number;
  readonly ownBytes: number;
  readonly shared: number;
  readonly sharedBytes: number;
  readonly rest: readonly [
    length: number,
    size: number,
    scale: number,
    cap: number,
    causal: number,
    window: number,
    scratch: number,
  ];
}

function forHeads(
  kernels: LayerKernels,
  attention: HeadAttention,
  visit: (place: HeadPlace) => void,
): void {
  const { batch, length, heads, keyValueHeads, headSize } = attention;
  const { scale, softCap = 0, causal, slidingWindow = NO_WINDOW } = attention;
  const ownBytes = 4 * heads * headSize, sharedBytes = 4 * keyValueHeads * headSize;
  const scratch = kernels.scratch(kernels.run.attentionScratch(length));
  const group = heads / keyValueHeads;
  const rest = [length, headSize, scale, softCap, Number(causal), slidingWindow, scratch] as const;
  for (let sequence = 0; sequence < batch; sequence++) {
    const first = sequence * length;
    for (let head = 0; head < heads; head++) {
      const own = first * ownBytes + 4 * head * headSize;
      const shared = first * sharedBytes + 4 * Math.floor(head / group) * headSize;
      visit({ own, ownBytes, shared, sharedBytes, rest });
    }
  }
}

/** Rotary positions: cosines and sines of `[length, headSize]`. */
export interface Rotation {
  readonly pairs: number;
  readonly cosine: tf.Tensor2D;
  readonly sine: tf.Tensor2D;
}

/**
 * Rotates the heads of all tokens by their positions, `[tokens, heads * headSize]`; by `sign` -1 the
 * other way round, as gradients are.
 */
export function rotateHeads(
  kernels: LayerKernels,
  x: tf.Tensor2D,
  { pairs, cosine, sine }: Rotation,
  sign: 1 | -1 = 1,
): tf.Tensor2D {
  const [tokens, width] = x.shape;
  const [length, size] = cosine.shape;
  const result = kernels.allocate(tokens, width);
  kernels.run.rotateHeads(
    ...[tokens, length, width / size, size, pairs] as const,
    ...[kernels.at(x), kernels.at(result), kernels.at(cosine), kernels.at(sine)] as const,
    sign,
  );
  return result;
}

/** The heads of `[tokens, slots * headSize]` that stand in some slots, beside each other. */
export function copyHeads(
  kernels: LayerKernels,
  x: tf.Tensor2D,
  slots: readonly number[],
  headSize: number,
): tf.Tensor2D {
  const [tokens, width] = x.shape;
  const result = kernels.allocate(tokens, slots.length * headSize);
  slots.forEach((slot, head) =>
    kernels.run.copyHead(
      ...[tokens, headSize, kernels.at(x) + 4 * slot * headSize, 4 * width] as const,
      ...[kernels.at(result) + 4 * head * headSize, 4 * result.shape[1]] as const,
    )
  );
  return result;
}

/** Puts the heads of {@linkcode copyHeads} back into their slots of `to`. */
export function putHeads(
  kernels: LayerKernels,
  x: tf.Tensor2D,
  slots: readonly number[],
  headSize: number,
  to: tf.Tensor2D,
): void {
  const [tokens, width] = x.shape;
  slots.forEach((slot, head) =>
    kernels.run.copyHead(
      ...[tokens, headSize, kernels.at(x) + 4 * head * headSize, 4 * width] as const,
      ...[kernels.at(to) + 4 * slot * headSize, 4 * to.shape[1]] as const,
    )
  );
}
