import * as tf from "@tensorflow/tfjs";
import type { AttentionDescription } from "../architectures/description.ts";
import { tidyValues } from "../compute/backend.ts";
import type { ForwardPass } from "./forward_pass.ts";
import { joinedSlot } from "./joined_slot.ts";
import type { LayerCache } from "./layer_cache.ts";
import { placeKey, placeQuery } from "./query_key.ts";

/** The attention of passes over one token a sequence, by a cache that attends by itself. */
export function attendStep(
  pass: ForwardPass,
  attention: AttentionDescription,
  projected: readonly tf.Tensor2D[],
  attend: NonNullable<LayerCache["attend"]>,
): tf.Tensor2D {
  const { heads, headSize, slidingWindow = Infinity, softCap = Infinity } = attention;
  const [queries, keys, values] = stackHeads(projected, attention);
  const placed = (
    place: typeof placeQuery,
    rows: Float32Array,
  ) =>
    tidyValues(() => place(pass, attention, tf.tensor2d(rows, [rows.length / headSize, headSize])));
  const result = attend({
    queries: placed(placeQuery, queries),
    keys: placed(placeKey, keys),
    values,
    headSize,
    slidingWindow,
    softCap,
  });
  return tf.tensor2d(result, [pass.batch, heads * headSize]);
}

/** Queries, keys and values of all sequences, a head a row. */
function stackHeads(
  projected: readonly tf.Tensor2D[],
  attention: AttentionDescription,
): [Float32Array, Float32Array, Float32Array] {
  const { projection, heads, keyValueHeads, headSize } = attention;
  const read = projected.map((x) => x.dataSync<"float32">());
  if (projection.kind === "separate") return [read[0]!, read[1]!, read[2]!];
  const all = read[0]!;
  const slots = heads + 2 * keyValueHeads;
  const sequences = all.length / (slots * headSize);
  const ofRole = (role: number, count: number) => {
    const stacked = new Float32Array(sequences * count * headSize);
    for (let index = 0; index < sequences * count; index++) {
      const slot = Math.floor(index / count) * slots + joinedSlot(attention, role, index % count);
      stacked.set(all.subarray(slot * headSize, (slot + 1) * headSize), index * headSize);
    }
    return stacked;
  };
  return [ofRole(0, heads), ofRole(1, keyValueHeads), ofRole(2, keyValueHeads)];
}
