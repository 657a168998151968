import * as tf from "@tensorflow/tfjs";
import type { AttentionDescription } from "../architectures/description.ts";
import { layerKernels } from "../kernels/layer_kernels.ts";
import { attendByKernels } from "./attend_by_kernels.ts";
import { attentionGradient } from "./attention_gradient.ts";
import { attendStep } from "./attention_step.ts";
import { differentiable } from "./differentiable.ts";
import type { ForwardPass } from "./forward_pass.ts";
import { gatherRows } from "./gather_rows.ts";
import { joinHeads, splitProjection } from "./heads.ts";
import type { LayerCache } from "./layer_cache.ts";
import { applyLinear } from "./linear.ts";
import { applyNorm } from "./normalization.ts";
import { placeKey, placeQuery } from "./query_key.ts";
import { softCap } from "./soft_cap.ts";

/** Causal multi-head attention over `[batch * length, hiddenSize]`, of `rows` alone where given. */
export function applyAttention(
  pass: ForwardPass,
  attention: AttentionDescription,
  x: tf.Tensor2D,
  cache?: LayerCache,
  rows?: Int32Array,
): tf.Tensor2D {
  const { projection, output, allQueriesNorm, allKeysNorm } = attention;
  const known = pass.tap?.knownInput?.(output.weight);
  if (known !== undefined) return applyLinear(pass, output, known);
  const linears = projection.kind === "joined"
    ? [projection.linear]
    : [projection.query, projection.key, projection.value];
  return tf.tidy(() => {
    const attended = differentiable(
      pass,
      linears.map((linear, role) => {
        const y = applyLinear(pass, linear, x);
        const norm = [allQueriesNorm, allKeysNorm][role];
        return norm === undefined ? y : applyNorm(pass, norm, y);
      }),
      (...projected) => attend(pass, attention, projected, cache),
      (dy, ...projected) => attentionGradient(pass, attention, projected, dy),
    );
    const wanted = rows === undefined ? attended : gatherRows(attended, rows);
    return applyLinear(pass, output, wanted);
  });
}

/**
 * The attention between the projections and the output layer, by kernels of our own where they are.
 * Elsewhere every product is a plain matrix
 * product of one head, since the WASM backend's batched and transposed products are some twenty
 * times slower.
 */
function attend(
  pass: ForwardPass,
  attention: AttentionDescription,
  projected: readonly tf.Tensor2D[],
  cache?: LayerCache,
): tf.Tensor2D {
  if (pass.length === 1 && cache?.attend !== undefined) {
    return attendStep(pass, attention, projected, cache.attend.bind(cache));
  }
  const kernels = layerKernels();
  if (kernels !== undefined && cache === undefined) {
    return attendByKernels(pass, kernels, attention, projected);
  }
  const heads = splitProjection(projected, pass, attention);
  let keys: readonly tf.Tensor2D[] = heads.keys.map((key) =>
    tf.tidy((): tf.Tensor2D => tf.transpose(placeKey(pass, attention, key)))
  );
  let values = heads.values;
  if (cache !== undefined) ({ keys, values } = cache.append(keys, values));
  const { softCap: cap } = attention;
  const mask = pass.mask(attention.slidingWindow);
  const group = attention.heads / attention.keyValueHeads;
  const results = heads.queries.map((query, index) =>
    tf.tidy((): tf.Tensor2D => {
      const shared = Math.floor(index / group);
      const product: tf.Tensor2D = tf.matMul(placeQuery(pass, attention, query), keys[shared]!);
      const scores = cap === undefined ? product : softCap(product, cap);
      const masked: tf.Tensor2D = mask === undefined ? scores : tf.add(scores, mask);
      return tf.matMul(tf.softmax(masked), values[shared]!);
    })
  );
  return joinHeads(results, pass, attention.headSize);
}
