import assert from "node:assert";
import { assertNear } from "../../data/testdata/assert_near.ts";
import { StoppedClock } from "../../data/testdata/stopped_clock.ts";
import { Phases } from "./phases.ts";
import { openDisplay, type ProgressStyle } from "./progress_display.ts";

function recordedPhases(progress: ProgressStyle = "auto") {
  const lines: string[] = [];
  const events: Readonly<Record<string, unknown>>[] = [];
  const display = openDisplay({
    progress,
    isTerminal: false,
    writeLine: (line) => void lines.push(line),
    writeEvent: (event) => void events.push(JSON.parse(JSON.stringify(event))),
  });
  const controller = new AbortController();
  return { lines, events, controller, phases: new Phases(display, controller.signal) };
}

Deno.test("phases give back results, count seconds and write plain lines", async () => {
  using clock = new StoppedClock();
  const { lines, phases } = recordedPhases();
  const result = await phases.run("read", (progress) => {
    clock.pass(250);
    progress(0.5);
    return 42;
  });
  await phases.run("read", () => {});
  assert.equal(result, 42);
  assert.deepEqual(phases.seconds(), { read: 0.25, total: 0.25 });
  assert.equal(lines[0], "read: done in 0.25 s");
});

Deno.test("a failed phase says nothing of success and passes its error on", async () => {
  const { lines, phases } = recordedPhases();
  await assert.rejects(phases.run("read", () => Promise.reject(new Error("no"))), /no/);
  assert.deepEqual(lines, []);
});

Deno.test("after Ctrl-C, phases that go on for a moment say nothing", async () => {
  const { lines, controller, phases } = recordedPhases();
  await phases.run("read", () => controller.abort());
  await phases.run("write", () => {});
  assert.deepEqual(lines, []);
});

Deno.test("events have the forecast, the time left of the whole run, and the end of phases", async () => {
  using clock = new StoppedClock();
  const { lines, events, phases } = recordedPhases("json");
  phases.expect({
    phases: [{ name: "read", seconds: 40 }, { name: "code", seconds: 60 }, {
      name: "code",
      seconds: 100,
    }],
    memory: 1e9,
    quicker: ["--effort fast"],
  });
  await phases.run("read", (progress) => {
    progress(0.01, "part 1");
    clock.pass(1100);
  });
  assert.deepEqual(lines, []);
  assertNear(events, [
    {
      event: "forecast",
      seconds: 200,
      phases: [{ name: "read", seconds: 40 }, { name: "code", seconds: 160 }],
      memory: 1e9,
      quicker: ["--effort fast"],
    },
    {
      event: "progress",
      phase: "read",
      phaseShare: 0.01,
      activity: "part 1",
      left: 199,
      share: 0.002,
      elapsed: 1,
    },
    { event: "done", phase: "read", seconds: 1.1 },
  ], 1e-12);
});

Deno.test("work that says nothing is told of all the same, and no clock is left running", async () => {
  using clock = new StoppedClock();
  const { events, phases } = recordedPhases("json");
  await phases.run("wait", () => clock.pass(2200));
  clock.pass(5000);
  assert.deepEqual(events.map(({ event }) => event), ["progress", "progress", "done"]);
});

Deno.test("a phase that nobody expected is not shown as all done while time is left", async () => {
  using clock = new StoppedClock();
  const { events, phases } = recordedPhases("json");
  phases.expect({ phases: [{ name: "read", seconds: 0.01 }] });
  await phases.run("read", () => {});
  await phases.run("more", (progress) => {
    progress(0.2);
    clock.pass(1200);
    progress(0.25);
  });
  const shares = events.flatMap(({ phase, event, share, left }) =>
    phase === "more" && event === "progress" && Number(left) > 1 ? [share] : []
  );
  assert.ok(shares.length > 0);
  assert.ok(shares.every((share) => share === 0.99), `${shares}`);
});

Deno.test("without progress, the forecast and messages stay", async () => {
  const { lines, phases } = recordedPhases("none");
  phases.expect({ phases: [{ name: "code", seconds: 600 }] });
  await phases.run("code", (progress) => progress(1));
  assert.deepEqual(lines, ["this takes about 10 min (code 10 min)"]);
});
