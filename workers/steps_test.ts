import assert from "node:assert";
import { StoppedClock } from "../data/testdata/stopped_clock.ts";
import { finish, finishWithBreaks, type Steps } from "./steps.ts";

/** Steps of a millisecond each. */
function* busy(clock: StoppedClock, milliseconds: number): Steps<string> {
  for (let i = 0; i < milliseconds; i++) {
    clock.pass(1);
    yield;
  }
  return "done";
}

Deno.test("timers have their turn while steps are done, and a signal ends them", async () => {
  using clock = new StoppedClock();
  let turns = 0;
  const takeTurn = () => {
    turns++;
    timer = setTimeout(takeTurn);
  };
  let timer = setTimeout(takeTurn);
  assert.equal(finish(busy(clock, 500)), "done");
  assert.equal(turns, 0);
  assert.equal(await finishWithBreaks(busy(clock, 500)), "done");
  assert.ok(turns >= 5 && turns <= 10, `${turns}`);
  clearTimeout(timer);
  const stop = new AbortController();
  setTimeout(() => stop.abort(new Error("enough")));
  await assert.rejects(finishWithBreaks(busy(clock, Infinity), stop.signal), /enough/);
});
