import assert from "node:assert";
import type { StateDict } from "../data/tensor.ts";
import { hashWeights } from "./weights_hash.ts";

Deno.test("the hash of weights changes with names, shapes and values", async () => {
  const weights = (name: string, shape: number[], ...values: number[]): StateDict =>
    new Map([[name, { dtype: "F32", shape, data: Float32Array.from(values) }]]);
  const hashes = await Promise.all([
    weights("a", [2], 1, 2),
    weights("b", [2], 1, 2),
    weights("a", [1, 2], 1, 2),
    weights("a", [2], 1, 3),
  ].map(hashWeights));
  assert.equal(new Set(hashes).size, 4);
  assert.equal(await hashWeights(weights("a", [2], 1, 2)), hashes[0]);
});
