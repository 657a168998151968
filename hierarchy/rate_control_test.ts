import assert from "node:assert";
import fc from "fast-check";
import { searchStep } from "./rate_control.ts";

Deno.test("searchStep() meets any target that a falling rate can reach", async () => {
  await fc.assert(fc.asyncProperty(
    fc.double({ min: 0.5, max: 12, noNaN: true }),
    fc.double({ min: 0.001, max: 4, noNaN: true }),
    fc.double({ min: 0, max: 0.2, noNaN: true }),
    async (bits, deviation, overhead) => {
      const weights = 1e6;
      // Entropy of a quantized normal falls by a bit per octave, then ever more slowly.
      const encodeAt = (step: number) => {
        const rate = 0.5 * Math.log2(1 + 17 * (deviation / step) ** 2) + overhead;
        return Promise.resolve({ bytes: Math.round(rate * weights / 8), value: step });
      };
      const target = (bits + overhead) * weights / 8;
      const { bytes } = await searchStep(encodeAt, target, weights, 0.1);
      assert.ok(Math.abs(bytes / target - 1) <= 0.002, `${bytes} for ${target}`);
    },
  ));
});

Deno.test("searchStep() gives the nearest it found where the target is out of reach", async () => {
  const encodeAt = (step: number) => Promise.resolve({ bytes: 1000 + 1 / step, value: step });
  const { bytes } = await searchStep(encodeAt, 10, 100, 1);
  assert.ok(bytes >= 1000 && bytes < 1001);
});
