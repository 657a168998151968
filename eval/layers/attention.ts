import * as tf from "@tensorflow/tfjs";
import type { AttentionDescription } from "../architectures/description.ts";
import type { ForwardPass } from "./forward_pass.ts";
import type { LayerCache } from "./key_value_cache.ts";
import { applyLinear } from "./linear.ts";
import { applyNorm } from "./normalization.ts";
import { rotate } from "./rotary.ts";
import { splitRows } from "./split_rows.ts";

/** Queries, keys and values by sequence and head: index `sequence * heads + head`. */
interface Heads {
  readonly queries: readonly tf.Tensor2D[];
  readonly keys: readonly tf.Tensor2D[];
  readonly values: readonly tf.Tensor2D[];
}

/**
 * Causal multi-head attention over `[batch * length, hiddenSize]`. Every product is a plain matrix
 * product of one head, since the WASM backend's batched and transposed products are some twenty
 * times slower.
 */
export function applyAttention(
  pass: ForwardPass,
  attention: AttentionDescription,
  x: tf.Tensor2D,
  cache?: LayerCache,
): tf.Tensor2D {
  const heads = project(pass, attention, x);
  const group = attention.heads / attention.keyValueHeads;
  const position = (head: tf.Tensor2D) =>
    attention.rotary === undefined
      ? head
      : rotate(head, pass.rotaryTables(attention.rotary, attention.headSize));
  let keys = heads.keys.map((key) =>
    tf.transpose(
      position(attention.keyNorm === undefined ? key : applyNorm(pass, attention.keyNorm, key)),
    )
  );
  let values = heads.values;
  if (cache !== undefined) ({ keys, values } = cache.append(keys, values));
  const mask = pass.mask(attention.slidingWindow);
  const results = heads.queries.map((query, index) =>
    tf.tidy(() => {
      const shared = Math.floor(index / group);
      const normed = attention.queryNorm === undefined
        ? query
        : applyNorm(pass, attention.queryNorm, query);
      const scaled = tf.mul(position(normed), attention.scale);
      const scores: tf.Tensor2D = tf.matMul(scaled, keys[shared]!);
      const masked: tf.Tensor2D = mask === undefined ? scores : tf.add(scores, mask);
      return tf.matMul(tf.softmax(masked), values[shared]!) as tf.Tensor2D;
    })
  );
  return applyLinear(pass, attention.output, joinHeads(results, pass, attention));
}

function project(pass: ForwardPass, attention: AttentionDescription, x: tf.Tensor2D): Heads {
  const { projection, headSize } = attention;
  if (projection.kind === "separate") {
    const split = (linear: typeof projection.query) =>
      splitHeads(applyLinear(pass, linear, x), pass, linear.outputs / headSize, headSize);
    return {
      queries: split(projection.query),
      keys: split(projection.key),
      values: split(projection.value),
    };
  }
  const { heads } = attention;
  const all = splitHeads(applyLinear(pass, projection.linear, x), pass, 3 * heads, headSize);
  const roleOf = projection.order === "byRole"
    ? (slot: number) => Math.floor(slot / heads)
    : (slot: number) => slot % 3;
  const [queries, keys, values] = [0, 1, 2].map((role) =>
    all.filter((_, index) => roleOf(index % (3 * heads)) === role)
  );
  return { queries: queries!, keys: keys!, values: values! };
}

/** `[batch * length, count * headSize]` to `batch * count` heads of `[length, headSize]`. */
function splitHeads(
  x: tf.Tensor2D,
  { batch, length }: ForwardPass,
  count: number,
  headSize: number,
): tf.Tensor2D[] {
  const byHead = tf.transpose(tf.reshape(x, [batch, length, count, headSize]), [0, 2, 1, 3]);
  return splitRows(tf.reshape(byHead, [batch * count * length, headSize]), batch * count);
}

/** The inverse of {@linkcode splitHeads}. */
function joinHeads(
  results: tf.Tensor2D[],
  { batch, length }: ForwardPass,
  { heads, headSize }: AttentionDescription,
): tf.Tensor2D {
  const byHead = tf.reshape(tf.concat(results, 0), [batch, heads, length, headSize]);
  return tf.reshape(tf.transpose(byHead, [0, 2, 1, 3]), [batch * length, heads * headSize]);
}
