import assert from "node:assert";
import fc from "fast-check";
import { listSchedule } from "./list_schedule.ts";

Deno.test("a schedule is as long as its longest worker", () => {
  assert.equal(listSchedule([], 3), 0);
  assert.equal(listSchedule([3, 3, 2, 2, 2], 2), 7);
  assert.equal(listSchedule([5, 1, 1, 1], 2), 5);
  assert.equal(listSchedule([1, 2, 3], 1), 6);
});

Deno.test("no schedule beats its work or its longest task, and none wastes half", () => {
  const times = fc.array(fc.double({ min: 0, max: 100, noNaN: true }), { maxLength: 50 });
  fc.assert(fc.property(times, fc.integer({ min: 1, max: 20 }), (seconds, workers) => {
    const most = seconds.reduce((most, time) => Math.max(most, time), 0);
    const share = seconds.reduce((sum, time) => sum + time, 0) / workers;
    const taken = listSchedule(seconds, workers);
    assert.ok(taken >= Math.max(most, share) - 1e-9);
    assert.ok(taken <= share + most + 1e-9);
  }));
});
