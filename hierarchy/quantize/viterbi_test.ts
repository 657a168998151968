import { CLASS_COUNT, STATE_COUNTS } from "../format/constants.ts";
import assert from "node:assert";
import fc from "fast-check";
import { createRandom } from "../../kan/numeric/random.ts";
import { laplacianModel, symbolTables } from "../entropy/symbol_model.ts";
import { COSTED_MAGNITUDES, symbolCosts } from "../entropy/symbol_costs.ts";
import { createTrellis, quantizerOf, reconstruct, type Trellis } from "../scan/trellis.ts";
import type { RateTerm } from "./candidates.ts";
import { quantizeRun } from "./viterbi.ts";

/** Squared error + rateWeight * bits of a path, and where it ends. */
function pathCost(
  trellis: Trellis,
  targets: Float32Array,
  indices: ArrayLike<number>,
  rate?: RateTerm,
): { cost: number; state: number } {
  let state = 0, cost = 0;
  for (let i = 0; i < targets.length; i++) {
    const quantizer = quantizerOf(state), k = indices[i]!;
    cost += (targets[i]! - reconstruct(trellis, quantizer, k)) ** 2;
    if (rate) {
      const row = (quantizer * CLASS_COUNT + rate.classes[i]!) * COSTED_MAGNITUDES;
      cost += rate.rateWeight * rate.costs[row + Math.abs(k)]!;
    }
    state = trellis.transitions[2 * state + (k & 1)]!;
  }
  return { cost, state };
}

/** The best path by trying all indices within 4 of zero. */
function exhaustiveCost(trellis: Trellis, targets: Float32Array, rate?: RateTerm): number {
  let best = Infinity;
  const indices = new Int32Array(targets.length);
  const visit = (i: number) => {
    if (i === targets.length) {
      best = Math.min(best, pathCost(trellis, targets, indices, rate).cost);
      return;
    }
    for (let k = -4; k <= 4; k++) {
      indices[i] = k;
      visit(i + 1);
    }
  };
  visit(0);
  return best;
}

function rateTerm(trellis: Trellis, length: number, rateWeight: number): RateTerm {
  const costs = symbolCosts(symbolTables(laplacianModel(trellis.states === 1 ? 1 : 2)));
  return { rateWeight, costs, classes: new Uint8Array(length).fill(33) };
}

Deno.test("createTrellis() moves every state to two others, and each is reached twice", () => {
  for (const states of STATE_COUNTS.slice(1)) {
    const { transitions } = createTrellis(states);
    const reached = new Uint8Array(states);
    for (const to of transitions) reached[to]!++;
    assert.ok(reached.every((count) => count === 2));
    for (let s = 0; s < states; s++) assert.notEqual(transitions[2 * s], transitions[2 * s + 1]);
  }
  assert.throws(() => createTrellis(12), RangeError);
});

Deno.test("quantizeRun() finds the best of all paths", () => {
  fc.assert(
    fc.property(
      fc.array(fc.float({ min: -5, max: 5, noNaN: true }), { minLength: 1, maxLength: 4 }),
      fc.constantFrom(1, 4, 8, 16),
      (values, states) => {
        const trellis = createTrellis(states);
        const targets = Float32Array.from(values);
        const indices = new Int32Array(targets.length);
        quantizeRun(trellis, targets, 0, indices);
        const { cost } = pathCost(trellis, targets, indices);
        assert.ok(cost <= exhaustiveCost(trellis, targets) + 1e-9);
      },
    ),
    { numRuns: 30 },
  );
});

Deno.test("quantizeRun() finds the best of all paths under a rate term", () => {
  fc.assert(
    fc.property(
      fc.array(fc.float({ min: -3, max: 3, noNaN: true }), { minLength: 1, maxLength: 4 }),
      fc.constantFrom(1, 8),
      fc.constantFrom(0.05, 0.2),
      (values, states, rateWeight) => {
        const trellis = createTrellis(states);
        const targets = Float32Array.from(values);
        const indices = new Int32Array(targets.length);
        const rate = rateTerm(trellis, targets.length, rateWeight);
        quantizeRun(trellis, targets, 0, indices, rate);
        const { cost } = pathCost(trellis, targets, indices, rate);
        assert.ok(cost <= exhaustiveCost(trellis, targets, rate) + 1e-4);
      },
    ),
    { numRuns: 15 },
  );
});

Deno.test("quantizeRun() continues from the state that it returned", () => {
  const trellis = createTrellis(8);
  const random = createRandom(2);
  const targets = Float32Array.from({ length: 400 }, () => random.normal() * 4);
  const indices = new Int32Array(400);
  let state = 0;
  for (let from = 0; from < 400; from += 100) {
    const part = targets.subarray(from, from + 100);
    state = quantizeRun(trellis, part, state, indices.subarray(from, from + 100));
  }
  const path = pathCost(trellis, targets, indices);
  assert.equal(path.state, state);
  assert.ok(path.cost / 400 < 1 / 4);
});

Deno.test("a trellis gains on a scalar quantizer of the same density of points", () => {
  // At high rate the gain over 1/12 squared steps of the union's spacing 1 is bounded by 1.53 dB;
  // the union of Q0 and Q1 has spacing 1, and each is a scalar quantizer of spacing 2.
  const random = createRandom(9);
  const targets = Float32Array.from({ length: 20_000 }, () => random.normal() * 30);
  const meanError = (states: number) => {
    const trellis = createTrellis(states);
    const indices = new Int32Array(targets.length);
    quantizeRun(trellis, targets, 0, indices);
    return pathCost(trellis, targets, indices).cost / targets.length;
  };
  const scalar = 4 / 12;
  const gains = [8, 64].map((states) => 10 * Math.log10(scalar / meanError(states)));
  assert.ok(gains[0]! > 0.7 && gains[1]! > gains[0]! && gains[1]! < 1.53, `${gains}`);
});

Deno.test("far targets reach far indices", () => {
  const indices = new Int32Array(2);
  quantizeRun(createTrellis(8), Float32Array.of(1e6, -1e12), 0, indices);
  assert.ok(Math.abs(indices[0]! - 5e5) <= 2);
  assert.ok(indices[1]! <= -(2 ** 26));
});
