import assert from "node:assert";
import { TaskGate } from "./task_gate.ts";

Deno.test("memory and tasks in a minute are limited", () => {
  let now = 0;
  const gate = new TaskGate(100, 3, () => now);
  assert.deepEqual([gate.take(60), gate.take(60), gate.take(40), gate.take(1)], [
    ...[true, false, true, false],
  ]);
  gate.give(60);
  assert.equal(gate.take(50), true);
  gate.give(50);
  assert.equal(gate.take(10), false, "three have begun in this minute");
  now = 60_001;
  assert.equal(gate.take(10), true);
});

Deno.test("where memory runs out, the limit falls to what was there", () => {
  const gate = new TaskGate(1000);
  for (let i = 0; i < 3; i++) assert.ok(gate.take(100));
  assert.equal(gate.lower(100), 200);
  gate.give(100);
  assert.equal(gate.take(1), false);
  gate.give(100);
  assert.equal(gate.take(100), true);
  gate.give(100);
  assert.equal(gate.lower(100), 25);
  gate.give(100);
  assert.deepEqual([gate.take(26), gate.take(25)], [false, true]);
});
