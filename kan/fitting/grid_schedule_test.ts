import assert from "node:assert";
import { type GridUpdateOptions, scheduleGridUpdates } from "./grid_schedule.ts";

function updates(options: GridUpdateOptions | false, steps: number): number[] {
  const schedule = scheduleGridUpdates(options, steps);
  const due = Array.from({ length: steps + 3 }, (_, done) => done).filter(schedule.isDue);
  for (let done = 0; done < steps + 3; done++) {
    const isAhead = due.some((each) => each >= done);
    assert.equal(schedule.isAhead(done), isAhead, `${JSON.stringify(options)}, ${done}`);
  }
  return due;
}

Deno.test("updates come every so many steps from a start to an end", () => {
  assert.deepEqual(updates({ every: 5, until: 20 }, 100), [0, 5, 10, 15]);
  assert.deepEqual(updates({ every: 5, until: 21 }, 100), [0, 5, 10, 15, 20]);
  assert.deepEqual(updates({ every: 5, start: 6, until: 16 }, 100), [10, 15]);
  assert.deepEqual(updates({ every: 3, start: 4, until: 6 }, 100), []);
  assert.deepEqual(updates({ every: 3, until: Infinity }, 8), [0, 3, 6]);
  assert.deepEqual(updates({ every: 1, until: 0 }, 8), []);
  assert.deepEqual(updates(false, 8), []);
  assert.deepEqual(updates({}, 400), [0, 25, 50, 75, 100, 125, 150, 175, 200]);
  assert.deepEqual(updates({}, 30), [0, 5, 10, 15]);
});
