import assert from "node:assert";
import { createMemoryStore } from "../../store/memory_store.ts";
import { keptTokens } from "./kept_tokens.ts";

Deno.test("what a model wrote is kept, and made again where it cannot be of its vocabulary", async () => {
  const store = createMemoryStore();
  const text = { store, key: "0", vocabularySize: 10 };
  const made = Int32Array.of(1, 9, 0, 3);
  let times = 0;
  const make = () => {
    times++;
    return Promise.resolve(made);
  };
  for (let i = 0; i < 2; i++) assert.deepEqual(await keptTokens(text, make), made);
  assert.equal(times, 1);
  const bytes = (values: Int32Array) => new Uint8Array(values.buffer);
  const forged = [
    new Uint8Array(),
    new Uint8Array(3),
    bytes(Int32Array.of(10)),
    bytes(Int32Array.of(1, -1)),
  ];
  for (const entry of forged) {
    await store.put("tokens-0", entry);
    assert.deepEqual(await keptTokens(text, make), made);
  }
  assert.equal(times, 1 + forged.length);
  assert.deepEqual(await keptTokens({ ...text, store: undefined }, make), made);
});
