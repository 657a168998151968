import assert from "node:assert";
import { InputError } from "../../data/mod.ts";
import { parseSweep, type SweepRecord } from "./sweep_record.ts";
import { failedRow } from "./sweep_results.ts";

const SWEEP: SweepRecord = {
  model: "m",
  settings: { seed: 0, calibration: null },
  original: { perplexity: 50, perplexityStandardError: null },
  commands: ["deno task sweep"],
  points: [
    failedRow({ name: "rate", bits: 0.1 }, "cannot be reached"),
    { ...failedRow({ name: "nf4" }, ""), error: null, bitsPerWeight: 4.5, compressedBytes: 100 },
  ],
};

Deno.test("a sweep that was written is read", () => {
  assert.deepEqual(parseSweep(JSON.parse(JSON.stringify(SWEEP)), "sweep.json"), SWEEP);
});

Deno.test("a sweep that was edited by hand is refused with its place", () => {
  const point = (change: object) => ({
    points: [SWEEP.points[0], { ...SWEEP.points[1], ...change }],
  });
  const cases: [change: object, message: RegExp][] = [
    [{ points: {} }, /was not written by sweep; choose another --out$/],
    [{ settings: null }, /was not written by sweep/],
    [{ settings: { seed: {} } }, /setting "seed" is not a value/],
    [{ original: { perplexity: "50" } }, /does not tell the original's perplexity/],
    [{ commands: [1] }, /does not tell the commands/],
    [{ points: [null] }, /point 1 is not a JSON object; remove that point/],
    [point({ name: 3 }), /point 2: name is 3; remove that point/],
    [point({ klDivergence: "0.1" }), /point 2: klDivergence is "0.1"/],
    [point({ sameTop1: undefined }), /point 2: sameTop1 is undefined/],
    [point({ bitsPerWeight: null }), /point 2 has neither a size nor an error/],
    [point({ error: {} }), /point 2: error is \{\}/],
  ];
  for (const [change, message] of cases) {
    assert.throws(() => parseSweep({ ...SWEEP, ...change }, "s.json"), (error) => {
      assert.ok(error instanceof InputError && error.message.startsWith("s.json: "), `${error}`);
      return message.test(error.message);
    }, `${message}`);
  }
  for (const value of [null, 3, [], "x"]) {
    assert.throws(() => parseSweep(value, "s.json"), /s.json: was not written by sweep/);
  }
});
