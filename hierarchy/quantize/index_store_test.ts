import assert from "node:assert";
import fc from "fast-check";
import { IndexStore } from "./index_store.ts";

Deno.test("indices are held in the bits that the largest so far needs", () => {
  const store = new IndexStore(new Int8Array(6));
  const isOf = (type: unknown) => store.indices.constructor === type;
  store.set(Int32Array.of(-128, 127), 0);
  assert.ok(isOf(Int8Array));
  store.set(Int32Array.of(128), 2);
  assert.ok(isOf(Int16Array));
  store.set(Int32Array.of(-(2 ** 15), 2 ** 15), 3);
  assert.ok(isOf(Int32Array));
  assert.deepEqual([...store.indices], [-128, 127, 128, -(2 ** 15), 2 ** 15, 0]);
});

Deno.test("whatever the indices are, they are held as they were written", () => {
  fc.assert(fc.property(fc.array(fc.integer({ min: -(2 ** 28), max: 2 ** 28 })), (indices) => {
    const store = new IndexStore(new Int8Array(indices.length));
    indices.forEach((index, at) => store.set(Int32Array.of(index), at));
    assert.deepEqual([...store.indices], indices);
  }));
});
