import assert from "node:assert";
import { finish, finishWithBreaks, type Steps } from "./steps.ts";

function* busy(milliseconds: number): Steps<string> {
  const end = performance.now() + milliseconds;
  while (performance.now() < end) yield;
  return "done";
}

Deno.test("timers have their turn while steps are done, and a signal ends them", async () => {
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  assert.equal(finish(busy(120)), "done");
  assert.equal(turns, 0);
  assert.equal(await finishWithBreaks(busy(200)), "done");
  assert.ok(turns >= 2);
  clearInterval(timer);
  const stop = new AbortController();
  setTimeout(() => stop.abort(new Error("enough")), 10);
  await assert.rejects(finishWithBreaks(busy(60_000), stop.signal), /enough/);
});
