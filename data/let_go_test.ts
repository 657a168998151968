import assert from "node:assert";
import { letGo } from "./let_go.ts";

Deno.test("values that are let go of are gone, but not those that share memory", () => {
  const values = new Float32Array(1000);
  letGo(values);
  assert.equal(values.length, 0);
  const part = new Float32Array(1000).subarray(10);
  letGo(part);
  assert.equal(part.length, 990);
  const shared = new Float32Array(new SharedArrayBuffer(40));
  letGo(shared);
  assert.equal(shared.length, 10);
});
