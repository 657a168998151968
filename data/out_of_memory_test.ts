import assert from "node:assert";
import { isOutOfMemory } from "./out_of_memory.ts";

Deno.test("memory that is not there is told from lengths that are wrong", () => {
  for (const make of [() => new ArrayBuffer(2 ** 52), () => new SharedArrayBuffer(2 ** 52)]) {
    assert.throws(make, isOutOfMemory);
  }
  assert.throws(() => new Float32Array(2 ** 45), isOutOfMemory);
  const text = "WebAssembly.Memory(): could not allocate memory";
  assert.ok(isOutOfMemory({ name: "RangeError", message: text }));
  const copying = new DOMException("Data cannot be cloned, out of memory.", "DataCloneError");
  assert.ok(isOutOfMemory(copying));
  assert.throws(() => structuredClone(() => {}), (error) => !isOutOfMemory(error));
  assert.throws(() => new Array(-1), (error) => !isOutOfMemory(error));
  assert.ok(!isOutOfMemory(new Error("allocation failed")));
  for (const other of [undefined, null, "text", 3]) {
    assert.ok(!isOutOfMemory(other ?? {}));
  }
});
