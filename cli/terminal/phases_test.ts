import assert from "node:assert";
import { Phases, progressLine } from "./phases.ts";

function linesDisplay(): { lines: string[]; isTerminal: boolean; writeLine(line: string): void } {
  const lines: string[] = [];
  return { lines, isTerminal: false, writeLine: (line) => void lines.push(line) };
}

Deno.test("phases give back results, count seconds and write plain lines", async () => {
  const display = linesDisplay();
  const phases = new Phases(display, new AbortController().signal);
  const result = await phases.run("read", (progress) => {
    progress(0.5);
    return 42;
  });
  await phases.run("read", () => {});
  assert.equal(result, 42);
  const seconds = phases.seconds();
  assert.deepEqual(Object.keys(seconds), ["read", "total"]);
  assert.equal(seconds["read"], seconds["total"]);
  assert.match(display.lines[0] ?? "", /^read: done in 0\.\d\d s$/);
});

Deno.test("a failed phase says nothing of success and passes its error on", async () => {
  const display = linesDisplay();
  const phases = new Phases(display, new AbortController().signal);
  await assert.rejects(phases.run("read", () => Promise.reject(new Error("no"))), /no/);
  assert.deepEqual(display.lines, []);
});

Deno.test("a line of progress has the time of the run and what the phase still takes", () => {
  const state = { name: "calibrate", share: 0.4, elapsed: 20, before: 65 };
  const line = progressLine(state, 80);
  assert.equal(
    line,
    `calibrate   ${"█".repeat(8)}${"░".repeat(12)}  40 %  1:25 so far, 0:30 left here`,
  );
  assert.match(progressLine({ ...state, share: 0.001 }, 80), /0 % {2}1:25 so far$/);
  assert.match(
    progressLine({ ...state, elapsed: 7200, share: 0.5 }, 80),
    /2:01:05 so far, 2:00:00 left/,
  );
  assert.match(progressLine({ ...state, seconds: 42.3 }, 80), /100 % {2}42\.3 s$/);
});

Deno.test("a line of progress stays on its line, whatever is being done", () => {
  const state = { name: "compress", share: 0.4, elapsed: 20, before: 65 };
  for (const width of [50, 60, 80, 200]) {
    const line = progressLine({ ...state, activity: "x".repeat(300) }, width);
    assert.ok(line.length < Math.max(width, 70), line);
  }
});
