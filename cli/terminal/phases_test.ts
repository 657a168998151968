import assert from "node:assert";
import { Phases } from "./phases.ts";

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
