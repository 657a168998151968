import assert from "node:assert";
import * as tf from "@tensorflow/tfjs";
import { createRandom } from "../../kan/numeric/random.ts";
import { useBackend } from "../compute/backend.ts";
import { attendHeads, copyHeads, rotateHeads } from "./attend_heads.ts";
import { layerKernels } from "./layer_kernels.ts";

await useBackend("wasm");
const kernels = layerKernels()!;
const random = createRandom(3);
const draw = (length: number) => Float32Array.from({ length }, () => random.normal());

const cases = [
  { length: 5, headSize: 6, heads: 2, keyValueHeads: 1, causal: true },
  { length: 131, headSize: 16, heads: 4, keyValueHeads: 2, causal: true },
  { length: 131, headSize: 5, heads: 1, keyValueHeads: 1, causal: true, slidingWindow: 7 },
  { length: 100, headSize: 8, heads: 2, keyValueHeads: 2, causal: true, softCap: 2 },
  { length: 101, headSize: 4, heads: 2, keyValueHeads: 2, causal: false },
];

Deno.test("attention is the softmax of scaled, capped products, of all that a token sees", () => {
  for (const one of cases) {
    const { length, headSize, heads, keyValueHeads, causal } = one;
    const [batch, scale] = [2, 0.7];
    const [width, shared] = [heads * headSize, keyValueHeads * headSize];
    const tokens = batch * length;
    const [q, k, v] = [draw(tokens * width), draw(tokens * shared), draw(tokens * shared)];
    const result = attendHeads(
      kernels,
      { softCap: undefined, slidingWindow: undefined, ...one, batch, scale },
      {
        queries: tf.tensor2d(q, [tokens, width]),
        keys: tf.tensor2d(k, [tokens, shared]),
        values: tf.tensor2d(v, [tokens, shared]),
      },
    ).dataSync();
    for (let token = 0; token < tokens; token++) {
      const start = token - token % length;
      const end = causal ? token + 1 : start + length;
      const first = Math.max(start, end - (one.slidingWindow ?? Infinity));
      for (let head = 0; head < heads; head++) {
        const other = Math.floor(head * keyValueHeads / heads) * headSize;
        const weights: number[] = [];
        for (let key = first; key < end; key++) {
          let score = 0;
          for (let i = 0; i < headSize; i++) {
            score += q[token * width + head * headSize + i]! * k[key * shared + other + i]!;
          }
          score *= scale;
          if (one.softCap !== undefined) score = one.softCap * Math.tanh(score / one.softCap);
          weights.push(Math.exp(score));
        }
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        for (let i = 0; i < headSize; i++) {
          const expected = weights.reduce(
            (sum, weight, at) => sum + weight / total * v[(first + at) * shared + other + i]!,
            0,
          );
          const found = result[token * width + head * headSize + i]!;
          assert.ok(Math.abs(found - expected) < 3e-6, `${JSON.stringify(one)}: ${found}`);
        }
      }
    }
  }
});

Deno.test("heads are rotated by their positions, and features beyond the pairs stay", () => {
  const [length, size, heads, pairs] = [3, 14, 2, 5];
  const x = draw(2 * length * heads * size);
  const angles = draw(length * size);
  const result = rotateHeads(kernels, tf.tensor2d(x, [2 * length, heads * size]), {
    pairs,
    cosine: tf.tensor2d(angles.map(Math.cos), [length, size]),
    sine: tf.tensor2d(angles.map(Math.sin), [length, size]),
  }).dataSync();
  result.forEach((found, at) => {
    const feature = at % size, position = Math.floor(at / (heads * size)) % length;
    const angle = angles[position * size + feature % pairs]!;
    const expected = feature < pairs
      ? x[at]! * Math.cos(angle) - x[at + pairs]! * Math.sin(angle)
      : feature < 2 * pairs
      ? x[at]! * Math.cos(angle) + x[at - pairs]! * Math.sin(angle)
      : x[at]!;
    assert.ok(Math.abs(found - expected) < 1e-6);
  });
});

Deno.test("heads are picked by their slots", () => {
  const x = tf.tensor2d([1, 2, 3, 4, 5, 6, 11, 12, 13, 14, 15, 16], [2, 6]);
  const picked = copyHeads(kernels, x, [2, 0], 2);
  assert.deepEqual([...picked.dataSync()], [5, 6, 1, 2, 15, 16, 11, 12]);
});
