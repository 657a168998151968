import assert from "node:assert";
import { formatClock, progressLine, progressText } from "./progress_line.ts";

const STATE = { phase: "calibrate", phaseShare: 0.7, share: 0.4, elapsed: 85, left: 130 };

Deno.test("a line of progress has share and time of the whole run", () => {
  const bar = `${"█".repeat(6)}${"░".repeat(10)}`;
  assert.equal(progressLine(STATE, 80), `calibrate   ${bar}  40 %  1:25 so far, 2:10 left`);
  const { left: _, ...unknown } = STATE;
  assert.match(progressLine(unknown, 80), /40 % {2}1:25 so far$/);
  assert.equal(
    progressText({ ...STATE, activity: "layer 3 of 12" }),
    "calibrate (layer 3 of 12): 70 %, 1:25 so far, 2:10 left",
  );
});

Deno.test("a line of progress stays on its line, whatever is being done", () => {
  for (const width of [10, 40, 50, 60, 80, 200]) {
    const line = progressLine({ ...STATE, activity: "x".repeat(300) }, width);
    assert.ok(line.length < width, line);
  }
});

Deno.test("times are told as on a clock", () => {
  assert.equal(formatClock(5.2), "0:05");
  assert.equal(formatClock(59.7), "1:00");
  assert.equal(formatClock(3599.7), "1:00:00");
  assert.equal(formatClock(7265), "2:01:05");
});
