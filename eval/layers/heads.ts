import * as tf from "@tensorflow/tfjs";
import type { AttentionDescription } from "../architectures/description.ts";
import { joinedSlot } from "./joined_slot.ts";
import { splitRows } from "./split_rows.ts";

/** Number and length of the sequences that are stacked in the rows of a matrix. */
export interface Sequences {
  /** Number of sequences. */
  readonly batch: number;
  /** Tokens of each. */
  readonly length: number;
}

/** Queries, keys and values as `[length, headSize]`, at index `sequence * heads + head`. */
export interface Heads {
  /** One for each query head. */
  readonly queries: readonly tf.Tensor2D[];
  /** One for each key-value head. */
  readonly keys: readonly tf.Tensor2D[];
  /** One for each key-value head. */
  readonly values: readonly tf.Tensor2D[];
}

/** `[batch * length, count * headSize]` to `batch * count` heads of `[length, headSize]`. */
export function splitHeads(
  x: tf.Tensor2D,
  { batch, length }: Sequences,
  headSize: number,
): tf.Tensor2D[] {
  const count = x.shape[1] / headSize;
  const byHead = tf.transpose(tf.reshape(x, [batch, length, count, headSize]), [0, 2, 1, 3]);
  return splitRows(tf.reshape(byHead, [batch * count * length, headSize]), batch * count);
}

/** The inverse of {@linkcode splitHeads}. */
export function joinHeads(
  heads: readonly tf.Tensor2D[],
  { batch, length }: Sequences,
  headSize: number,
): tf.Tensor2D {
  const count = heads.length / batch;
  const byHead = tf.reshape(tf.concat([...heads], 0), [batch, count, length, headSize]);
  return tf.reshape(tf.transpose(byHead, [0, 2, 1, 3]), [batch * length, count * headSize]);
}

/** The heads in what the projection's products gave: queries, keys and values, or all in one. */
export function splitProjection(
  projected: readonly tf.Tensor2D[],
  sequences: Sequences,
  attention: AttentionDescription,
): Heads {
  const { projection, heads, keyValueHeads, headSize } = attention;
  const split = projected.map((x) => splitHeads(x, sequences, headSize));
  if (projection.kind === "separate") {
    return { queries: split[0]!, keys: split[1]!, values: split[2]! };
  }
  const ofRole = (role: number, count: number) =>
    Array.from(
      { length: sequences.batch * count },
      (_, index) => split[0]![slotInBatch(attention, role, count, index)]!,
    );
  return {
    queries: ofRole(0, heads),
    keys: ofRole(1, keyValueHeads),
    values: ofRole(2, keyValueHeads),
  };
}

/** The inverse of {@linkcode splitProjection}. */
export function joinProjection(
  { queries, keys, values }: Heads,
  sequences: Sequences,
  attention: AttentionDescription,
): tf.Tensor2D[] {
  const { projection, headSize } = attention;
  const join = (parts: readonly tf.Tensor2D[]) => joinHeads(parts, sequences, headSize);
  if (projection.kind === "separate") return [join(queries), join(keys), join(values)];
  const all = new Array<tf.Tensor2D>(queries.length + keys.length + values.length);
  [queries, keys, values].forEach((parts, role) =>
    parts.forEach((part, index) => {
      all[slotInBatch(attention, role, parts.length / sequences.batch, index)] = part;
    })
  );
  return [join(all)];
}

/** Where head `index` of all sequences, of which each has `count`, stands among the slots of all. */
function slotInBatch(
  attention: AttentionDescription,
  role: number,
  count: number,
  index: number,
): number {
  const { heads, keyValueHeads } = attention;
  const sequence = Math.floor(index / count);
  return sequence * (heads + 2 * keyValueHeads) + joinedSlot(attention, role, index % count);
}
