import * as tf from "@tensorflow/tfjs";
import type { DecoderDescription, LayerDescription } from "./architectures/description.ts";
import { applyAttention } from "./layers/attention.ts";
import { applyFeedForward } from "./layers/feed_forward.ts";
import { beginPass, type ForwardPass } from "./layers/forward_pass.ts";
import type { KeyValueCache, LayerCache } from "./layers/key_value_cache.ts";
import { applyLinear } from "./layers/linear.ts";
import { applyNorm } from "./layers/normalization.ts";
import type { Tap } from "./layers/tap.ts";
import type { ParameterStore } from "./parameter_store.ts";

/** Token and position embeddings, `[batch * length, hiddenSize]`. */
export function embed(
  pass: ForwardPass,
  model: DecoderDescription,
  ids: Int32Array,
): tf.Tensor2D {
  const tokens = pass.parameters.rows(model.tokenEmbedding, ids);
  if (model.positionEmbedding === undefined) return tokens;
  const positions = Int32Array.from(ids, (_, i) => pass.start + i % pass.length);
  return tf.add(tokens, pass.parameters.rows(model.positionEmbedding, positions));
}

/** One layer of a pre-norm decoder. */
export function applyLayer(
  pass: ForwardPass,
  layer: LayerDescription,
  x: tf.Tensor2D,
  cache?: LayerCache,
): tf.Tensor2D {
  const normed = applyNorm(pass, layer.attentionNorm, x);
  const attended = tf.add(x, applyAttention(pass, layer.attention, normed, cache)) as tf.Tensor2D;
  const second = layer.residual === "sequential" ? attended : x;
  const inner = applyNorm(pass, layer.feedForwardNorm, second);
  return tf.add(attended, applyFeedForward(pass, layer.feedForward, inner));
}

/** What {@linkcode hiddenStates} may be given beside the tokens. */
export interface ForwardOptions {
  /** Looks at the linear layers. */
  readonly tap?: Tap;
  /** Keys and values of the tokens before these; those of these are added. */
  readonly cache?: KeyValueCache;
}

/**
 * Runs `batch` sequences of equal length through the model, up to and including the last
 * normalization: `[batch * length, hiddenSize]`.
 */
export function hiddenStates(
  model: DecoderDescription,
  parameters: ParameterStore,
  ids: Int32Array,
  batch: number,
  { tap, cache }: ForwardOptions = {},
): tf.Tensor2D {
  const pass = beginPass(parameters, batch, ids.length / batch, cache?.length ?? 0, tap);
  try {
    let x = tf.tidy(() => embed(pass, model, ids));
    model.layers.forEach((layer, index) => {
      const next = tf.tidy(() => applyLayer(pass, layer, x, cache?.layer(index)));
      x.dispose();
      x = next;
      parameters.release();
    });
    cache?.advance(pass.length);
    const normed = tf.tidy(() => applyNorm(pass, model.finalNorm, x));
    x.dispose();
    return normed;
  } finally {
    pass.dispose();
  }
}

/** Logits of rows of {@linkcode hiddenStates}: `[rows, vocabularySize]`. */
export function applyHead(
  model: DecoderDescription,
  parameters: ParameterStore,
  hidden: tf.Tensor2D,
  tap?: Tap,
): tf.Tensor2D {
  return tf.tidy(() =>
    applyLinear(beginPass(parameters, 1, hidden.shape[0], 0, tap), model.head, hidden)
  );
}
