import assert from "node:assert";
import fc from "fast-check";
import { prune } from "./pruning.ts";
import { meanSquaredError, randomHessian, randomMatrix } from "./testdata/random_matrix.ts";

Deno.test("prune() drops exactly the smallest weights, ties by position", () => {
  const list = fc.array(fc.integer({ min: -4, max: 4 }), { minLength: 1, maxLength: 30 });
  fc.assert(fc.property(list, fc.double({ min: 0, max: 0.99, noNaN: true }), (values, sparsity) => {
    const data = Float32Array.from(values);
    const weights = { name: "w", rows: 1, columns: data.length, data };
    const { reconstruction } = prune(weights, { sparsity, score: "magnitude" });
    const order = [...data.keys()].sort((a, b) => Math.abs(data[a]!) - Math.abs(data[b]!) || a - b);
    const expected = data.slice();
    for (const i of order.slice(0, Math.floor(sparsity * data.length))) expected[i] = 0;
    assert.deepEqual(reconstruction.map((value) => value + 0), expected.map((value) => value + 0));
  }));
});

Deno.test("the pattern of zeros costs its entropy, the rest two bytes each", () => {
  const weights = randomMatrix(100, 200, 1);
  for (const sparsity of [0.3, 0.5, 0.9]) {
    const { bytes } = prune(weights, { sparsity, score: "magnitude" });
    const entropy = -sparsity * Math.log2(sparsity) - (1 - sparsity) * Math.log2(1 - sparsity);
    const expected = 20_000 * (entropy / 8 + 2 * (1 - sparsity));
    assert.ok(bytes > expected && bytes < expected + 40, `${bytes} instead of ${expected}`);
  }
});

Deno.test("scores by activation compare weights within a row, weighted by their inputs", () => {
  const weights = randomMatrix(20, 40, 2);
  const hessian = randomHessian(40, 100, 3);
  for (let j = 0; j < 40; j += 4) hessian[j * 41]! *= 1e4;
  const options = { sparsity: 0.5, score: "activation" } as const;
  const { reconstruction } = prune(weights, options, hessian);
  for (let row = 0; row < 20; row++) {
    const values = reconstruction.subarray(row * 40, (row + 1) * 40);
    assert.equal(values.filter((value) => value === 0).length, 20);
    let strong = 0;
    for (let j = 0; j < 40; j += 4) strong += values[j] === 0 ? 0 : 1;
    assert.ok(strong >= 9);
  }
});

Deno.test("pruned and quantized, the kept weights are within half a step of a searched grid", () => {
  const weights = randomMatrix(64, 64, 4);
  const quantization = { bits: 4, groupSize: 64 };
  const pruned = prune(weights, { sparsity: 0.5, score: "magnitude" });
  const both = prune(weights, { sparsity: 0.5, score: "magnitude", quantization });
  const added = meanSquaredError(both.reconstruction, pruned.reconstruction);
  assert.ok(added > 0 && added < 0.012);
  assert.equal(pruned.bytes - both.bytes, 2048 * 2 - 2048 / 2 - 64 * 2);
});
