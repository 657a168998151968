import assert from "node:assert";
import { createRandom } from "../../kan/numeric/random.ts";
import { InputError } from "../../data/input_error.ts";
import { meetDivergence } from "./meet_divergence.ts";
import { estimatedBits, estimateRate } from "./rate_estimate.ts";

const random = createRandom(3);
const values = 64 * 64;
const data = Float32Array.from({ length: values }, () => random.normal());
const estimate = estimateRate([{ name: "w", rows: 64, columns: 64, data }], 2);

/**
 * Meets a target where the divergence is a function of the bits per value; tells what was tried.
 */
async function meet(target: number, divergenceAt: (bits: number) => number) {
  const tried: number[] = [];
  const measureAt = (logStep: number) => {
    const bits = estimatedBits(estimate, logStep) / values;
    tried.push(bits);
    const divergence = divergenceAt(bits);
    return Promise.resolve({ encoded: bits, bitsPerWeight: bits, divergence });
  };
  const bits = await meetDivergence(measureAt, target, { estimate, values, advice: "allow more" });
  assert.equal(new Set(tried).size, tried.length, "a step was measured twice");
  return { bits, tried };
}

/** As rate-distortion theory has it, up to what a model of zeros is away. */
const ideal = (bits: number) => 8 * 4 ** -bits;

Deno.test("a divergence that grows with the step is met within 5 % in a few trials", async () => {
  for (const target of [1e-6, 0.003, 0.3, 0.99]) {
    const { bits, tried } = await meet(target, ideal);
    assert.ok(ideal(bits) <= target && ideal(bits) >= 0.95 * target, `${ideal(bits)}`);
    assert.ok(tried.length <= 6, `${tried}`);
  }
});

Deno.test("what is looser never takes a larger file, where divergence goes up and down", async () => {
  // Errors as large as the weights: a model of zeros is nearer than many that are noisy.
  const wild = (bits: number) =>
    bits > 2
      ? ideal(bits)
      : 0.5 + 20 * Math.exp(-((bits - 0.7) ** 2) * 8) + 3 * Math.sin(40 * bits) ** 2;
  let before = Infinity;
  for (const target of [0.01, 0.1, 0.4, 0.9, 1, 2, 3.2, 6, 12, 20, 50, 1e3]) {
    const { bits, tried } = await meet(target, wild);
    assert.ok(wild(bits) <= target);
    assert.equal(bits, Math.min(...tried.filter((other) => wild(other) <= target)));
    assert.ok(bits <= before, `${target}: ${bits} after ${before}`);
    before = bits;
  }
  assert.ok(before < 1e-3, "a model of zeros meets the loosest");
});

Deno.test("a target that only many bits reach is reached, and no other is given up too early", async () => {
  // What rounding leaves goes up and down.
  const rounding = (bits: number) => bits >= 19.5 && bits < 20.5 ? 1e-9 : 1e-7;
  const { bits } = await meet(5e-9, (bits) => Math.max(ideal(bits), rounding(bits)));
  assert.ok(bits > 19.5 && bits < 20.5, `${bits}`);
  await assert.rejects(meet(1e-10, (bits) => Math.max(ideal(bits), rounding(bits))), (error) => {
    assert.ok(error instanceof InputError);
    return /1e-10 cannot be reached; the least found is 1\.00e-9, at (19|20)\.\d\d bits per parameter; allow more$/
      .test(error.message);
  });
});

Deno.test("a divergence that is not a number is not taken for a small one", async () => {
  const { bits } = await meet(0.01, (bits) => bits < 6 ? NaN : ideal(bits));
  assert.ok(bits >= 6, `${bits}`);
  await assert.rejects(meet(0.01, () => NaN), /the least found is Infinity/);
});
