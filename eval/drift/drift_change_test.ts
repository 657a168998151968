import assert from "node:assert";
import { createRandom } from "../../kan/numeric/random.ts";
import { driftChange } from "./drift_change.ts";
import type { DriftHalves, DriftSums } from "./drift_sums.ts";
import { type FitAsk, fitDrift } from "./fit_drift.ts";
import { plainMultiply } from "./testdata/plain_multiply.ts";

const SIZE = 12, DAMPING = 1e-6;

const noDrift = (): DriftSums => ({
  moment: new Float64Array(SIZE ** 2),
  missing: new Float64Array(SIZE ** 2),
});
const fit = (asks: readonly FitAsk[]) =>
  Promise.all(asks.map((ask) => fitDrift(ask, plainMultiply)));

/** Sums of random Z and X = Z + Z P + noise. */
function sumsOf(seed: number, tokens: number, p: Float64Array, noise: number): DriftSums {
  const random = createRandom(seed);
  const sums = noDrift();
  for (let token = 0; token < tokens; token++) {
    const z = Float64Array.from({ length: SIZE }, () => random.normal());
    const difference = z.map((_, j) =>
      z.reduce((sum, value, k) => sum + value * p[k * SIZE + j]!, noise * random.normal())
    );
    for (let i = 0; i < SIZE; i++) {
      for (let j = 0; j < SIZE; j++) {
        // Above the diagonal it may be anything.
        sums.moment[i * SIZE + j]! += i < j ? NaN : z[i]! * z[j]!;
        sums.missing[i * SIZE + j]! += z[i]! * difference[j]!;
      }
    }
  }
  return sums;
}

const random = createRandom(1);
const p = Float64Array.from({ length: SIZE ** 2 }, () => 0.1 * random.normal());

/** The whole change, and the share of it that is made. */
async function found(halves: DriftHalves) {
  const all = await driftChange(halves, SIZE, { share: 1, damping: DAMPING }, fit);
  const change = await driftChange(halves, SIZE, { damping: DAMPING }, fit);
  return { all: all!, share: change === undefined ? 0 : change[0]! / all![0]! };
}

Deno.test("drift that follows from the inputs is found, and made up for", async () => {
  const { all, share } = await found([sumsOf(2, 100, p, 0), sumsOf(3, 100, p, 0)]);
  all.forEach((value, at) => assert.ok(Math.abs(value - p[at]!) < 1e-4));
  assert.ok(Math.abs(share - 1) < 1e-3, `${share}`);
});

Deno.test("of drift that is chance nearly nothing is made up for, and of both a part", async () => {
  const none = new Float64Array(SIZE ** 2);
  const chance = await found([sumsOf(4, 100, none, 1), sumsOf(5, 100, none, 1)]);
  assert.ok(chance.share < 0.25, `${chance.share}`);
  // Signal .01 a value, chance 1 / tokens.
  for (const tokens of [50, 200, 800]) {
    const right = 0.01 / (0.01 + 1 / (2 * tokens));
    const { share } = await found([sumsOf(6, tokens, p, 1), sumsOf(7, tokens, p, 1)]);
    assert.ok(Math.abs(share - right) < 0.12, `${tokens}: ${share}, ${right}`);
  }
});

Deno.test("without drift, or without inputs, nothing is changed", async () => {
  for (const sums of [sumsOf(8, 50, new Float64Array(SIZE ** 2), 0), noDrift()]) {
    assert.equal(
      await driftChange([sums, sums], SIZE, { damping: DAMPING }, fit),
      undefined,
    );
  }
});
