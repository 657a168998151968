import * as tf from "@tensorflow/tfjs";
import type { AttentionDescription } from "../architectures/description.ts";
import { layerKernels } from "../kernels/layer_kernels.ts";
import { attendByKernelsGradient } from "./attend_by_kernels.ts";
import type { ForwardPass } from "./forward_pass.ts";
import { joinProjection, splitHeads, splitProjection } from "./heads.ts";
import { softCap, softCapGradient } from "./soft_cap.ts";
import { placeKey, placeKeyGradient, placeQuery, placeQueryGradient } from "./query_key.ts";

interface HeadGradient {
  readonly query: tf.Tensor2D;
  readonly key: tf.Tensor2D;
  readonly value: tf.Tensor2D;
}

/** What query heads that share a key and value have in common. */
interface SharedHead {
  readonly key: tf.Tensor2D;
  readonly keyTransposed: tf.Tensor2D;
  readonly valueTransposed: tf.Tensor2D;
}

/**
 * Gradients of the attention by the results of its projections, given that by the joined heads. With
 * S = Q Kᵀ, P = softmax(S), O = P V: dP = dO Vᵀ, dS = P ∘ (dP - rowsum(P ∘ dP)), dQ = dS K,
 * dKᵀ = Qᵀ dS, dVᵀ = dOᵀ P, so that only `[length, headSize]` matrices are ever transposed. A soft cap
 * stands between Q Kᵀ and S.
 */
export function attentionGradient(
  pass: ForwardPass,
  attention: AttentionDescription,
  projected: readonly tf.Tensor2D[],
  dy: tf.Tensor2D,
): tf.Tensor2D[] {
  const kernels = layerKernels();
  if (kernels !== undefined) {
    return attendByKernelsGradient(pass, kernels, attention, projected, dy);
  }
  const heads = splitProjection(projected, pass, attention);
  const dResults = splitHeads(dy, pass, attention.headSize);
  const group = attention.heads / attention.keyValueHeads;
  const queries: tf.Tensor2D[] = [];
  const keys: tf.Tensor2D[] = [];
  const values: tf.Tensor2D[] = [];
  heads.keys.forEach((key, index) => {
    const placed = placeKey(pass, attention, key);
    const shared: SharedHead = {
      key: placed,
      keyTransposed: tf.transpose(placed),
      valueTransposed: tf.transpose(heads.values[index]!),
    };
    const gradients = Array.from({ length: group }, (_, member) => {
      const at = index * group + member;
      return headGradient(pass, attention, heads.queries[at]!, shared, dResults[at]!);
    });
    queries.push(...gradients.map(({ query }) => query));
    const keySum: tf.Tensor2D = tf.transpose(tf.addN(gradients.map(({ key }) => key)));
    keys.push(placeKeyGradient(pass, attention, key, keySum));
    values.push(tf.transpose(tf.addN(gradients.map(({ value }) => value))));
  });
  return joinProjection({ queries, keys, values }, pass, attention);
}

/** Gradients of one query head; those of key and value are transposed. */
function headGradient(
  pass: ForwardPass,
  attention: AttentionDescription,
  query: tf.Tensor2D,
  shared: SharedHead,
  dResult: tf.Tensor2D,
): HeadGradient {
  const { key, keyTransposed, valueTransposed } = shared;
  const { softCap: cap, slidingWindow } = attention;
  const mask = pass.mask(slidingWindow);
  const gradient = tf.tidy(() => {
    const placed = placeQuery(pass, attention, query);
    const product: tf.Tensor2D = tf.matMul(placed, keyTransposed);
    const scores = cap === undefined ? product : softCap(product, cap);
    const shares: tf.Tensor2D = tf.softmax(mask === undefined ? scores : tf.add(scores, mask));
    const dShares: tf.Tensor2D = tf.matMul(dResult, valueTransposed);
    const rowSums = tf.sum(tf.mul(shares, dShares), 1, true);
    const dCapped: tf.Tensor2D = tf.mul(shares, tf.sub(dShares, rowSums));
    const dScores = cap === undefined ? dCapped : softCapGradient(scores, cap, dCapped);
    return [
      placeQueryGradient(pass, attention, query, tf.matMul(dScores, key)),
      tf.matMul(tf.transpose(placed), dScores) as tf.Tensor2D,
      tf.matMul(tf.transpose(dResult), shares) as tf.Tensor2D,
    ];
  });
  return { query: gradient[0]!, key: gradient[1]!, value: gradient[2]! };
}
