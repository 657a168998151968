import assert from "node:assert";
import fc from "fast-check";
import { createRandom } from "../../kan/numeric/random.ts";
import { meetSize } from "./meet_size.ts";
import { estimatedBits, estimateRate } from "./rate_estimate.ts";

const random = createRandom(3);
const values = 64 * 64;
const data = Float32Array.from({ length: values }, () => random.normal());
const estimate = estimateRate([{ name: "w", rows: 64, columns: 64, data }], 2);

/** Meets a size where files have `scale` times the estimated bytes and some more. */
async function meet(target: number, scale: number, draftError: number) {
  let trials = 0, drafts = 0;
  const bytesAt = (logStep: number) => 300 + scale * estimatedBits(estimate, logStep) / 8;
  const met = await meetSize(
    (logStep) => {
      trials++;
      const value = bytesAt(logStep);
      return Promise.resolve({ value, made: value });
    },
    target,
    {
      estimate,
      overhead: 200,
      parameters: values,
      values,
      draftAt(logStep) {
        drafts++;
        return Promise.resolve(bytesAt(logStep) * (1 + draftError));
      },
    },
  );
  return { met, trials, drafts };
}

Deno.test("one trial after at most three drafts meets a size, however far off the estimate is", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.double({ min: 900, max: 4000, noNaN: true }),
      fc.double({ min: 0.8, max: 1.25, noNaN: true }),
      fc.double({ min: -8e-4, max: 8e-4, noNaN: true }),
      async (target, scale, draftError) => {
        const { met, trials, drafts } = await meet(target, scale, draftError);
        assert.ok(met <= target && met >= 0.998 * target, `${met} of ${target}`);
        assert.ok(trials === 1 && drafts <= 3, `${trials} trials, ${drafts} drafts`);
      },
    ),
    { numRuns: 50 },
  );
});

Deno.test("drafts that are wrong cost trials, and no bytes", async () => {
  for (const draftError of [-0.05, 0.05]) {
    const { met, trials } = await meet(2000, 1.1, draftError);
    assert.ok(met <= 2000 && met >= 1996 && trials > 1 && trials < 5, `${met}, ${trials} trials`);
  }
});
