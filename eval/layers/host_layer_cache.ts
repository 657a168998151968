import * as tf from "@tensorflow/tfjs";
import { transposeInto } from "../../data/transpose.ts";
import type { LayerCache, Step } from "./layer_cache.ts";

/** Keys and values of one head, `[capacity, headSize]` each, of which `length` rows are used. */
interface HeadMemory {
  keys: Float32Array;
  values: Float32Array;
}

/** Keeps keys and values in plain arrays, and attends to them for one token at a time. */
export class HostLayerCache implements LayerCache {
  #heads: HeadMemory[] = [];
  #length = 0;

  append(keys: readonly tf.Tensor2D[], values: readonly tf.Tensor2D[]) {
    const [headSize, added] = keys[0]!.shape;
    this.#reserve(keys.length, headSize, added);
    keys.forEach((key, head) => {
      const target = this.#heads[head]!.keys.subarray(this.#length * headSize);
      transposeInto(target, key.dataSync<"float32">(), headSize, added);
    });
    values.forEach((value, head) =>
      this.#heads[head]!.values.set(value.dataSync<"float32">(), this.#length * headSize)
    );
    this.#length += added;
    const used = (array: Float32Array) =>
      tf.tensor2d(array.subarray(0, this.#length * headSize), [this.#length, headSize]);
    return {
      keys: this.#heads.map((head): tf.Tensor2D => tf.tidy(() => tf.transpose(used(head.keys)))),
      values: this.#heads.map((head) => used(head.values)),
    };
  }

  attend({ queries, keys, values, headSize, slidingWindow, softCap }: Step): Float32Array {
    const heads = keys.length / headSize;
    this.#reserve(heads, headSize, 1);
    const row = this.#length * headSize;
    this.#heads.forEach((memory, head) => {
      const [start, end] = [head * headSize, (head + 1) * headSize];
      memory.keys.set(keys.subarray(start, end), row);
      memory.values.set(values.subarray(start, end), row);
    });
    this.#length++;
    const first = Math.max(0, this.#length - slidingWindow) * headSize;
    const end = this.#length * headSize;
    const result = new Float32Array(queries.length);
    const group = queries.length / keys.length;
    for (let at = 0; at < queries.length; at += headSize) {
      const memory = this.#heads[Math.floor(at / headSize / group)]!;
      attendOne(
        result.subarray(at, at + headSize),
        queries.subarray(at, at + headSize),
        memory.keys.subarray(first, end),
        memory.values.subarray(first, end),
        softCap,
      );
    }
    return result;
  }

  dispose(): void {
    this.#heads = [];
    this.#length = 0;
  }

  #reserve(heads: number, headSize: number, added: number): void {
    const needed = (this.#length + added) * headSize;
    if (this.#heads.length === heads && this.#heads[0]!.keys.length >= needed) return;
    const grow = (old: Float32Array = new Float32Array(0)) => {
      const grown = new Float32Array(Math.max(needed, 2 * old.length, 32 * headSize));
      grown.set(old);
      return grown;
    };
    this.#heads = Array.from({ length: heads }, (_, head) => ({
      keys: grow(this.#heads[head]?.keys),
      values: grow(this.#heads[head]?.values),
    }));
  }
}

/** softmax(K q)ᵀ V for one query, with capped scores; rows of keys and values as long as the query. */
function attendOne(
  result: Float32Array,
  query: Float32Array,
  keys: Float32Array,
  values: Float32Array,
  softCap: number,
): void {
  const size = query.length;
  const scores = new Float64Array(keys.length / size);
  let largest = -Infinity;
  for (let row = 0; row < scores.length; row++) {
    let sum = 0;
    for (let i = 0, at = row * size; i < size; i++, at++) sum += query[i]! * keys[at]!;
    const score = softCap === Infinity ? sum : softCap * Math.tanh(sum / softCap);
    scores[row] = score;
    if (score > largest) largest = score;
  }
  const sums = new Float64Array(size);
  let total = 0;
  for (let row = 0; row < scores.length; row++) {
    const share = Math.exp(scores[row]! - largest);
    total += share;
    for (let i = 0, at = row * size; i < size; i++, at++) sums[i]! += share * values[at]!;
  }
  for (let i = 0; i < size; i++) result[i] = sums[i]! / total;
}
