import assert from "node:assert";
import fc from "fast-check";
import { nextTokenWindow } from "../protocols/window.ts";
import { frequencyClasses } from "./frequency_classes.ts";

Deno.test("positions are sorted by how often the token that is read there was calibrated on", () => {
  const calibrated = Int32Array.from([
    ...new Array(100).fill(1),
    ...new Array(99).fill(2),
    ...new Array(9).fill(3),
    4,
  ]);
  // Rows 1 and 2 of the first window read tokens 1 and 2; those of the second 3, 4 and 5.
  const windows = [
    nextTokenWindow(Int32Array.of(9, 1, 2, 9), 1, 3, 0),
    nextTokenWindow(Int32Array.of(3, 4, 5, 9), 0, 3, 1),
  ];
  const classes = frequencyClasses(windows, Float64Array.of(1, 2, 3, 5, 9), calibrated);
  assert.deepEqual(classes, [
    { atLeast: 0, below: 1, share: 0.2, mean: 9, divergenceShare: 0.45 },
    { atLeast: 1, below: 10, share: 0.4, mean: 4, divergenceShare: 0.4 },
    { atLeast: 10, below: 100, share: 0.2, mean: 2, divergenceShare: 0.1 },
    { atLeast: 100, share: 0.2, mean: 1, divergenceShare: 0.05 },
  ]);
});

Deno.test("shares sum to 1, their means to the mean; no divergence divides by nothing", () => {
  const token = fc.nat(20);
  fc.assert(
    fc.property(
      fc.array(token, { minLength: 2, maxLength: 50 }),
      fc.array(token, { maxLength: 300 }),
      fc.boolean(),
      (text, calibrated, zero) => {
        const window = nextTokenWindow(Int32Array.from(text), 0, text.length - 1, 0);
        const divergences = Float64Array.from(window.rows, (row) => zero ? 0 : 1 + row);
        const mean = divergences.reduce((sum, value) => sum + value, 0) / divergences.length;
        const classes = frequencyClasses([window], divergences, Int32Array.from(calibrated));
        const sum = (of: (one: typeof classes[number]) => number) =>
          classes.reduce((total, one) => total + of(one), 0);
        assert.ok(Math.abs(sum(({ share }) => share) - 1) < 1e-9);
        assert.ok(Math.abs(sum(({ share, mean }) => share * mean) - mean) < 1e-9);
        assert.ok(Math.abs(sum((one) => one.divergenceShare) - (zero ? 0 : 1)) < 1e-9);
      },
    ),
  );
});
