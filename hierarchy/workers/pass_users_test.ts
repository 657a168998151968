import assert from "node:assert";
import { createMemoryStore } from "../../store/memory_store.ts";
import { PassUsers } from "./pass_users.ts";

const GROUP = "0".repeat(64);
const [FIRST, SECOND] = ["1", "2"].map((digit) => `pass-${digit.repeat(64)}`) as [string, string];
const RESULTS = ["quantize-1", "refine-1"], CODE = ["encode-1"];

async function someStore() {
  const store = createMemoryStore();
  for (const name of [...RESULTS, ...CODE]) await store.put(name, new Uint8Array(1));
  const left = async () => {
    const are = await Promise.all([...RESULTS, ...CODE].map((name) => store.has(name)));
    return are.map(Number).join("");
  };
  return { store, left, users: new PassUsers(store) };
}

Deno.test("results go with the last pass that runs, code with the last that has any", async () => {
  const { store, left, users } = await someStore();
  await users.enter(GROUP, FIRST);
  await users.enter(GROUP, SECOND);
  await users.leave(GROUP, FIRST, { results: RESULTS }, true);
  assert.equal(await left(), "111");
  // Another process sees the same.
  const others = new PassUsers(store);
  await others.leave(GROUP, SECOND, { results: RESULTS }, true);
  assert.equal(await left(), "001");
  await others.leave(GROUP, SECOND, { code: CODE }, false);
  assert.equal(await left(), "001");
  await users.leave(GROUP, FIRST, { code: CODE }, false);
  assert.equal(await left(), "000");
  assert.equal(await store.has(`users-${GROUP}`), false);
});

Deno.test("of an entry that is damaged what can be read counts", async () => {
  const { store, left, users } = await someStore();
  const line = new TextEncoder().encode(`\n${SECOND} results`);
  await store.put(`users-${GROUP}`, Uint8Array.of(0xff, 0x0a, 0, ...line, 0x0a, 0x7b));
  assert.equal(await users.need(GROUP, FIRST), undefined);
  assert.equal(await users.need(GROUP, SECOND), "results");
  await users.leave(GROUP, FIRST, { results: RESULTS, code: CODE }, false);
  assert.equal(await left(), "111");
  await store.put(`users-${GROUP}`, line.subarray(2));
  await users.leave(GROUP, FIRST, { results: RESULTS, code: CODE }, false);
  assert.equal(await left(), "000");
});
