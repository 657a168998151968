import assert from "node:assert";
import * as tf from "@tensorflow/tfjs";
import { useBackend } from "../compute/backend.ts";
import { rotaryTables, rotate } from "./rotary.ts";
import { rotaryFrequencies } from "./rotary_frequencies.ts";

const rotary = { dimensions: 4, theta: 10_000 };

Deno.test("rotated products depend on the distance of positions only", async () => {
  await useBackend("wasm");
  const query = tf.tensor2d([[1, -2, 0.5, 3, 7]]);
  const key = tf.tensor2d([[3, 1, 2, 2, 5]]);
  const product = (queryPosition: number, keyPosition: number) => {
    const at = (x: tf.Tensor2D, position: number) =>
      rotate(x, rotaryTables(rotary, 5, position, 1));
    return tf.sum(tf.mul(at(query, queryPosition), at(key, keyPosition))).dataSync()[0]!;
  };
  assert.ok(Math.abs(product(3, 1) - product(13, 11)) < 1e-4);
  assert.ok(Math.abs(product(3, 1) - product(3, 2)) > 0.1);
  const rotated = rotate(query, rotaryTables(rotary, 5, 2, 1)).dataSync();
  const [sine, cosine] = [Math.sin(2), Math.cos(2)];
  assert.ok(Math.abs(rotated[0]! - (cosine - 0.5 * sine)) < 1e-6);
  assert.ok(Math.abs(rotated[2]! - (0.5 * cosine + sine)) < 1e-6);
  assert.equal(rotated[4], 7);
});

Deno.test("llama3 scaling stretches long wavelengths only", () => {
  const plain = rotaryFrequencies({ dimensions: 12, theta: 5e5 }, 1);
  const scaled = rotaryFrequencies({
    dimensions: 12,
    theta: 5e5,
    scaling: {
      kind: "llama3",
      factor: 8,
      lowFrequencyFactor: 1,
      highFrequencyFactor: 4,
      originalContextLength: 32,
    },
  }, 1);
  assert.equal(scaled[0], plain[0]);
  for (const pair of [2, 3, 4, 5]) assert.equal(scaled[pair], plain[pair]! / 8);
  assert.deepEqual(
    rotaryFrequencies({ ...rotary, scaling: { kind: "linear", factor: 2 } }, 1),
    rotaryFrequencies(rotary, 1).map((frequency) => frequency / 2),
  );
});
