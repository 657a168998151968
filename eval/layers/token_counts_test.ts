import assert from "node:assert";
import fc from "fast-check";
import { COUNT_POWER, rowEnergies, rowPowers, sumTokens, weighRows } from "./token_counts.ts";

const columns = 3;
const rows = fc.array(
  fc.array(fc.float({ min: -100, max: 100, noNaN: true }), {
    minLength: columns,
    maxLength: columns,
  }),
  { minLength: 1, maxLength: 6 },
);

Deno.test("rows that are weighed count by the same power of their energies, on both sides", () => {
  fc.assert(fc.property(rows, (tokens) => {
    const gradients = Float32Array.from(tokens.flat());
    const energies = rowEnergies(gradients, columns);
    tokens.forEach((token, row) => {
      const energy = token.reduce((sum, value) => sum + value * value, 0);
      assert.ok(Math.abs(energies[row]! - energy) <= 1e-6 * energy + 1e-36);
    });
    const outputs = rowEnergies(weighRows(gradients, energies, rowPowers.gradients), columns);
    const ones = new Float32Array(gradients.length).fill(1);
    const inputs = rowEnergies(weighRows(ones, energies, rowPowers.inputs), columns);
    energies.forEach((energy, row) => {
      const count = energy ** COUNT_POWER;
      assert.ok(Math.abs(inputs[row]! / columns - count) <= 1e-5 * count);
      // Squares that underflow are no energy.
      if (energy > 1e-30) assert.ok(Math.abs(outputs[row]! - count) <= 1e-4 * count);
    });
    const sums = sumTokens(energies);
    const total = (of: (energy: number) => number) =>
      energies.reduce((sum, energy) => sum + of(energy), 0);
    assert.equal(sums.energy, total((energy) => energy));
    assert.equal(sums.count, total((energy) => energy ** COUNT_POWER));
  }));
});

Deno.test("a row without energy becomes 0", () => {
  const weighed = weighRows(Float32Array.of(1, 2, 3, 4), Float32Array.of(0, 16), -0.25);
  assert.deepEqual([...weighed], [0, 0, 1.5, 2]);
});
