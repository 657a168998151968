import * as tf from "@tensorflow/tfjs";
import type {
  LayerDescription,
  NormDescription,
  TransformerDescription,
} from "../architectures/description.ts";
import { activate } from "../layers/activation.ts";
import { applyAttention } from "../layers/attention.ts";
import { applyFeedForward } from "../layers/feed_forward.ts";
import { beginPass, type ForwardPass } from "../layers/forward_pass.ts";
import type { KeyValueCache } from "../layers/key_value_cache.ts";
import type { LayerCache } from "../layers/layer_cache.ts";
import { applyLinear } from "../layers/linear.ts";
import { applyNorm } from "../layers/normalization.ts";
import { gatherRows } from "../layers/gather_rows.ts";
import { softCap } from "../layers/soft_cap.ts";
import type { Tap } from "../layers/tap.ts";
import type { ParameterStore } from "../weights/parameter_store.ts";

/** Token and position embeddings and their norm, `[batch * length, hiddenSize]`. */
export function embed(
  pass: ForwardPass,
  model: TransformerDescription,
  ids: Int32Array,
): tf.Tensor2D {
  const tokens = scale(pass.parameters.rows(model.tokenEmbedding, ids), model.embeddingScale);
  if (model.positionEmbedding === undefined) return applyNormIf(pass, model.embeddingNorm, tokens);
  const first = (model.positionOffset ?? 0) + pass.start;
  const positions = Int32Array.from(ids, (_, i) => first + i % pass.length);
  const sum = tf.add(tokens, pass.parameters.rows(model.positionEmbedding, positions));
  return applyNormIf(pass, model.embeddingNorm, sum as tf.Tensor2D);
}

/** `x` times a factor; without one, `x` itself. */
function scale(x: tf.Tensor2D, factor: number | undefined): tf.Tensor2D {
  return factor === undefined ? x : tf.mul(x, factor);
}

/** As {@linkcode applyNorm}; without a norm, `x` itself. */
function applyNormIf(
  pass: ForwardPass,
  norm: NormDescription | undefined,
  x: tf.Tensor2D,
): tf.Tensor2D {
  return norm === undefined ? x : applyNorm(pass, norm, x);
}

/**
 * One layer: attention and feed-forward block with their norms and residual sums; of `rows` alone where
 * they are given.
 */
export function applyLayer(
  pass: ForwardPass,
  layer: LayerDescription,
  all: tf.Tensor2D,
  cache?: LayerCache,
  rows?: Int32Array,
): tf.Tensor2D {
  const x = rows === undefined ? all : gatherRows(all, rows);
  if (layer.residual === "postNorm") {
    const attention = applyAttention(pass, layer.attention, all, cache, rows);
    const sum = tf.add(x, attention) as tf.Tensor2D;
    const inner = applyNorm(pass, layer.attentionNorm, sum);
    const result = tf.add(inner, applyFeedForward(pass, layer.feedForward, inner)) as tf.Tensor2D;
    return applyNorm(pass, layer.feedForwardNorm, result);
  }
  const { attentionNorm, attentionOutputNorm, feedForwardNorm, feedForwardOutputNorm } = layer;
  const after = layer.residual === "outputNorm";
  const add = (sum: tf.Tensor2D, part: tf.Tensor2D, norm: NormDescription | undefined) =>
    tf.add(sum, scale(applyNormIf(pass, norm, part), layer.residualScale)) as tf.Tensor2D;
  const normed = applyNormIf(pass, after ? undefined : attentionNorm, all);
  const attention = applyAttention(pass, layer.attention, normed, cache, rows);
  const attended = add(x, attention, after ? attentionNorm : attentionOutputNorm);
  const second = layer.residual === "parallel" ? x : attended;
  const inner = applyNormIf(pass, after ? undefined : feedForwardNorm, second);
  const block = applyFeedForward(pass, layer.feedForward, inner);
  return add(attended, block, after ? feedForwardNorm : feedForwardOutputNorm);
}

/** What a forward pass may be given beside the tokens. */
export interface ForwardOptions {
  /**
   * Looks at the linear layers.
   *
   * @internal
   */
  readonly tap?: Tap;
  /** Keys and values of the tokens before these; those of these are added. */
  readonly cache?: KeyValueCache;
  /** Rows that are wanted, in any order; all if omitted. Not of classifiers. */
  readonly rows?: Int32Array;
}

/**
 * Runs `batch` sequences of equal length through the model, up to and including the last
 * normalization: `[batch * length, hiddenSize]`, or `[batch, hiddenSize]` of a classifier, which
 * looks at the first token of each sequence only; with `rows` those alone.
 */
export function hiddenStates(
  model: TransformerDescription,
  parameters: ParameterStore,
  ids: Int32Array,
  batch: number,
  { tap, cache, rows }: ForwardOptions = {},
): tf.Tensor2D {
  const length = ids.length / batch;
  const causal = model.objective === "nextToken";
  const pass = beginPass(parameters, { batch, length, start: cache?.length ?? 0, causal, tap });
  try {
    let x = tf.tidy(() => embed(pass, model, ids));
    model.layers.forEach((layer, index) => {
      // Of the last layer, what comes after the attention is needed for the wanted rows only.
      const wanted = index === model.layers.length - 1 ? rows : undefined;
      const next = tf.tidy(() => applyLayer(pass, layer, x, cache?.layer(index), wanted));
      x.dispose();
      x = next;
      parameters.release();
    });
    cache?.advance(pass.length);
    const normed = tf.tidy(() => finishStates(pass, model, x));
    if (normed !== x) x.dispose();
    return normed;
  } finally {
    pass.dispose();
  }
}

/** What the head is applied to, given what the last layer gave; perhaps the same tensor. */
export function finishStates(
  pass: ForwardPass,
  model: TransformerDescription,
  x: tf.Tensor2D,
): tf.Tensor2D {
  const rows = model.objective === "classification" ? firsts(x, pass.batch) : x;
  return applyNormIf(pass, model.finalNorm, rows);
}

/** The first row of each of `batch` sequences. */
function firsts(x: tf.Tensor2D, batch: number): tf.Tensor2D {
  const [rows, columns] = x.shape;
  const bySequence = tf.reshape(x, [batch, rows / batch * columns]) as tf.Tensor2D;
  return tf.slice2d(bySequence, [0, 0], [batch, columns]);
}

/** Logits of rows of {@linkcode hiddenStates}: `[rows, vocabularySize]`, or of classes. */
export function applyHead(
  model: TransformerDescription,
  parameters: ParameterStore,
  hidden: tf.Tensor2D,
  tap?: Tap,
): tf.Tensor2D {
  const pass = beginPass(parameters, { batch: 1, length: hidden.shape[0], tap });
  return tf.tidy(() =>
    finishLogits(model, applyLinear(pass, model.head, transformHeadInput(pass, model, hidden)))
  );
}

/** Logits, given what the head's product gave; perhaps the same tensor. */
export function finishLogits(
  { logitScale, logitSoftCap }: TransformerDescription,
  product: tf.Tensor2D,
): tf.Tensor2D {
  const scaled = scale(product, logitScale);
  return logitSoftCap === undefined ? scaled : softCap(scaled, logitSoftCap);
}

/** What a head does to hidden states before its last product; perhaps the same tensor. */
export function transformHeadInput(
  pass: ForwardPass,
  { headTransform }: TransformerDescription,
  hidden: tf.Tensor2D,
): tf.Tensor2D {
  if (headTransform === undefined) return hidden;
  const { linear, activation, norm } = headTransform;
  return applyNormIf(pass, norm, activate(activation, applyLinear(pass, linear, hidden)));
}
