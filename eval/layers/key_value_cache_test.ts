import assert from "node:assert";
import * as tf from "@tensorflow/tfjs";
import { createRandom } from "../../kan/numeric/random.ts";
import { useBackend } from "../compute/backend.ts";
import { HostLayerCache } from "./host_layer_cache.ts";
import { TensorLayerCache } from "./tensor_layer_cache.ts";

const headSize = 3;
const heads = 2;

function randomHeads(random: ReturnType<typeof createRandom>, shape: [number, number]) {
  const size = shape[0] * shape[1];
  return Array.from(
    { length: heads },
    () => tf.tensor2d(Float32Array.from({ length: size }, () => random.normal()), shape),
  );
}

Deno.test("both caches return the same keys and values, and free them", async () => {
  await useBackend("wasm");
  const before = tf.memory().numTensors;
  const caches = [new HostLayerCache(), new TensorLayerCache()];
  const random = createRandom(1);
  for (const length of [2, 1, 40, 3]) {
    tf.tidy(() => {
      const keys = randomHeads(random, [headSize, length]);
      const values = randomHeads(random, [length, headSize]);
      const [host, tensor] = caches.map((cache) => cache.append(keys, values));
      for (let head = 0; head < heads; head++) {
        assert.deepEqual(host!.keys[head]!.arraySync(), tensor!.keys[head]!.arraySync());
        assert.deepEqual(host!.values[head]!.arraySync(), tensor!.values[head]!.arraySync());
      }
    });
  }
  for (const cache of caches) cache.dispose();
  assert.equal(tf.memory().numTensors, before);
});

Deno.test("attend() is the softmax of the capped products, within the window", () => {
  const cache = new HostLayerCache();
  const random = createRandom(2);
  const draw = (count: number) =>
    Float32Array.from({ length: count * headSize }, () => random.normal());
  const seen: { keys: Float32Array; values: Float32Array }[] = [];
  for (let step = 0; step < 40; step++) {
    const [queries, keys, values] = [draw(2 * heads), draw(heads), draw(heads)];
    seen.push({ keys, values });
    const window = seen.slice(-5);
    const found = cache.attend({ queries, keys, values, headSize, slidingWindow: 5, softCap: 2 });
    for (let query = 0; query < 2 * heads; query++) {
      const of = (rows: Float32Array, row: number) =>
        rows.subarray(row * headSize, (row + 1) * headSize);
      const shared = Math.floor(query / 2);
      const weights = window.map((past) => {
        const products = Array.from(of(queries, query), (x, i) => x * of(past.keys, shared)[i]!);
        return Math.exp(2 * Math.tanh(products.reduce((sum, value) => sum + value) / 2));
      });
      const total = weights.reduce((sum, weight) => sum + weight);
      for (let i = 0; i < headSize; i++) {
        const expected = window.reduce(
          (sum, past, at) => sum + weights[at]! / total * of(past.values, shared)[i]!,
          0,
        );
        assert.ok(Math.abs(of(found, query)[i]! - expected) < 1e-5);
      }
    }
  }
});
