import assert from "node:assert";
import fc from "fast-check";
import { planAutoencoder } from "./plan_autoencoder.ts";

Deno.test("planAutoencoder() gives a model of 4.3 million weights blocks of 64", () => {
  const plan = planAutoencoder(4_300_000, 3);
  assert.equal(plan.blockSize, 64);
  assert.deepEqual(plan.hiddenDims, [32, 16, 8]);
  assert.ok(plan.decoderBytes < 0.1 * plan.latentBytes);
});

Deno.test("a plan halves at each level and keeps its decoders small wherever it has a choice", () => {
  const count = fc.integer({ min: 0, max: 2e9 });
  const levels = fc.integer({ min: 1, max: 6 });
  const latentBits = fc.integer({ min: 1, max: 8 });
  fc.assert(fc.property(count, levels, latentBits, (parameters, numLevels, bits) => {
    const plan = planAutoencoder(parameters, numLevels, { latentBits: bits });
    assert.equal(plan.hiddenDims.length, numLevels);
    plan.hiddenDims.forEach((dim, k) => assert.equal(dim, plan.blockSize / 2 ** (k + 1)));
    const smallest = plan.blockSize === 2 ** numLevels;
    assert.ok(smallest || plan.decoderBytes < 0.1 * (plan.decoderBytes + plan.latentBytes));
    const blocks = Math.ceil(parameters / plan.blockSize);
    assert.equal(plan.latentBytes, Math.ceil(blocks * plan.hiddenDims.at(-1)! * bits / 8));
  }));
});

Deno.test("more weights never get narrower blocks", () => {
  fc.assert(fc.property(fc.nat(1e8), fc.nat(1e8), (one, other) => {
    const [few, many] = [Math.min(one, other), Math.max(one, other)];
    assert.ok(planAutoencoder(few, 3).blockSize <= planAutoencoder(many, 3).blockSize);
  }));
});

Deno.test("planAutoencoder() refuses what is not a count", () => {
  assert.throws(() => planAutoencoder(-1, 3), { name: "InputError" });
  assert.throws(() => planAutoencoder(10, 0), { name: "InputError" });
  assert.throws(() => planAutoencoder(10, 2.5), { name: "InputError" });
});
