import assert from "node:assert";
import { releaseMemory } from "./release_memory.ts";

Deno.test("values that are released are gone, but not those that share memory", () => {
  const values = new Float32Array(1000);
  releaseMemory(values);
  assert.equal(values.length, 0);
  const part = new Float32Array(1000).subarray(10);
  releaseMemory(part);
  assert.equal(part.length, 990);
  const shared = new Float32Array(new SharedArrayBuffer(40));
  releaseMemory(shared);
  assert.equal(shared.length, 10);
});
