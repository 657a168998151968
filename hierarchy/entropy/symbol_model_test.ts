import { CLASS_COUNT, CLASSES_PER_OCTAVE, UNIT_CLASS } from "../format/constants.ts";
import assert from "node:assert";
import fc from "fast-check";
import { createRandom } from "../../kan/numeric/random.ts";
import { emptyCounts, fitSymbolModel, MAGNITUDES } from "./fit_symbol_model.ts";
import {
  coefficientCount,
  laplacianModel,
  rawBitsOf,
  scoreFeatures,
  symbolTableOf,
} from "./symbol_model.ts";
import { bucketOf, symbolBits } from "./symbol_table.ts";

Deno.test("scoreFeatures() are few, non-negative, and sum to 1 for each univariate function", () => {
  fc.assert(fc.property(
    fc.constantFrom(1 as const, 2 as const),
    fc.integer({ min: 0, max: CLASS_COUNT - 1 }),
    fc.integer({ min: 0, max: MAGNITUDES - 1 }),
    (quantizers, index, a) => {
      const { indices, values } = scoreFeatures(quantizers, quantizers - 1, index, a);
      const functions = (a > 0 ? 1 : 0) + (a < 3 ? 1 : 0);
      assert.ok(indices.every((i) => i >= 0 && i < coefficientCount(quantizers)));
      assert.ok(values.every((value) => value >= 0 && value <= 1));
      assert.ok(Math.abs(values.reduce((sum, value) => sum + value, 0) - functions) < 1e-12);
    },
  ));
});

Deno.test("fitSymbolModel() learns a Gaussian: within 0.5 % of the true entropy in every class", () => {
  const random = createRandom(6);
  const draws = 40_000;
  const classes = [20, 28, 34, 40, 46, 52];
  const counts = emptyCounts(1);
  const samples = classes.map((index) => {
    const deviation = 2 ** ((index - UNIT_CLASS) / CLASSES_PER_OCTAVE) * Math.sqrt(Math.PI / 2);
    return Int32Array.from({ length: draws }, () => Math.round(random.normal() * deviation));
  });
  classes.forEach((index, i) => {
    for (const k of samples[i]!) {
      const bucket = Math.min(Math.abs(bucketOf(k, rawBitsOf(1, index))), MAGNITUDES - 1);
      counts[index * MAGNITUDES + bucket]!++;
    }
  });
  const model = fitSymbolModel(1, counts);
  classes.forEach((index, i) => {
    const table = symbolTableOf(model, 0, index);
    const histogram = new Map<number, number>();
    for (const k of samples[i]!) histogram.set(k, (histogram.get(k) ?? 0) + 1);
    let bits = 0, entropy = 0;
    for (const [k, count] of histogram) {
      bits += count * symbolBits(table, k);
      entropy -= count * Math.log2(count / draws);
    }
    // Rare symbols of rare classes cannot cost less than their 4096th.
    assert.ok(bits <= entropy * 1.008 + 0.004 * draws, `class ${index}: ${bits / entropy}`);
  });
});

Deno.test("fitSymbolModel() is never worse than where it starts", () => {
  const counts = emptyCounts(2);
  for (let a = 0; a < 20; a++) counts[33 * MAGNITUDES + a] = 1000 >> a;
  const cost = (model: ReturnType<typeof laplacianModel>) => {
    const table = symbolTableOf(model, 0, 33);
    let bits = 0;
    for (let a = 0; a < 20; a++) bits += counts[33 * MAGNITUDES + a]! * symbolBits(table, a);
    return bits;
  };
  assert.ok(cost(fitSymbolModel(2, counts)) < cost(laplacianModel(2)));
});
