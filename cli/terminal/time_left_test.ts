import assert from "node:assert";
import fc from "fast-check";
import { TimeLeft } from "./time_left.ts";

const PHASES = [{ name: "read", seconds: 10 }, { name: "code", seconds: 60 }, {
  name: "measure",
  seconds: 20,
}];

Deno.test("time left: what was expected, until something is known", () => {
  const left = new TimeLeft();
  left.expect(PHASES);
  left.begin("read");
  assert.equal(left.seconds(0, 0), 90);
  assert.equal(left.seconds(0, 4), 86);
  // A phase that takes longer than expected and does not say how far it is.
  assert.equal(left.seconds(0, 15), 80);
});

Deno.test("time left: phases that took twice as long make the others longer", () => {
  const left = new TimeLeft();
  left.expect(PHASES);
  left.begin("read");
  left.end(20);
  left.begin("code");
  // 9 s, a tenth of what was expected, count as expected.
  assert.ok(Math.abs(left.seconds(0, 0)! - 80 * (9 + 20) / (9 + 10)) < 1e-9);
});

Deno.test("time left: a short phase that begins slowly does not make a long run many times longer", () => {
  const left = new TimeLeft();
  left.expect([{ name: "sample", seconds: 180 }, { name: "calibrate", seconds: 1320 }]);
  left.begin("sample");
  // Programs are compiled for 20 s: by its pace alone the phase would take six times as long.
  const seconds = left.seconds(0.02, 21)!;
  assert.ok(seconds > 1500 && seconds < 1.4 * 1500, `${seconds}`);
});

Deno.test("time left: a phase's own pace replaces what was expected of it and corrects the rest", () => {
  const left = new TimeLeft();
  left.expect(PHASES);
  left.begin("code");
  // Half is done in 15 s: half of what was expected, so that the measuring takes little more than 10 s.
  assert.ok(Math.abs(left.seconds(0.5, 15)! - (15 + 20 * (9 + 30) / (9 + 60))) < 1e-9);
});

Deno.test("time left: a phase that is left out is not waited for, one that nobody expected is", () => {
  const left = new TimeLeft();
  left.expect(PHASES);
  left.begin("measure");
  assert.equal(left.seconds(0, 0), 20);
  left.end(20);
  left.begin("more");
  assert.equal(left.seconds(0.001, 5), undefined);
  assert.equal(left.seconds(0.25, 5), 15);
});

Deno.test("time left: what is done is counted by what was expected, not by the clock", () => {
  const left = new TimeLeft();
  assert.equal(left.doneShare(0.5), undefined);
  left.expect(PHASES);
  left.begin("unexpected");
  assert.equal(left.doneShare(0.5), 0);
  left.begin("code");
  assert.ok(Math.abs(left.doneShare(0)! - 1 / 9) < 1e-12);
  assert.ok(Math.abs(left.doneShare(0.5)! - 4 / 9) < 1e-12);
  left.end(1000);
  left.begin("measure");
  assert.equal(left.doneShare(1), 1);
});

Deno.test("time left: never negative, and nothing once all is done", () => {
  fc.assert(fc.property(
    fc.array(fc.double({ min: 0, max: 1e4, noNaN: true }), { minLength: 1, maxLength: 6 }),
    fc.double({ min: 0, max: 1, noNaN: true }),
    fc.double({ min: 0, max: 1e5, noNaN: true }),
    (seconds, share, elapsed) => {
      const left = new TimeLeft();
      left.expect(seconds.map((value, i) => ({ name: String(i), seconds: value })));
      for (let i = 0; i < seconds.length; i++) {
        left.begin(String(i));
        assert.ok(left.seconds(share, elapsed)! >= 0);
        if (i === seconds.length - 1 && elapsed >= 1) {
          assert.ok(left.seconds(1, elapsed)! < 1e-6 * (1 + elapsed));
        }
        left.end(elapsed);
      }
    },
  ));
});
