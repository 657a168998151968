import { LANES, PROBABILITY_SCALE } from "../format/constants.ts";
import assert from "node:assert";
import fc from "fast-check";
import { createRandom } from "../../kan/numeric/random.ts";
import { normalizeFrequencies } from "./frequency_table.ts";
import { RansDecoder, RansEncoder } from "./rans.ts";

/** Cuts 0 .. 4095 at the given places into intervals. */
function intervalsOf(cuts: number[]): { start: number; frequency: number }[] {
  const edges = [...new Set([0, ...cuts, PROBABILITY_SCALE])].sort((a, b) => a - b);
  return edges.slice(1).map((end, i) => ({ start: edges[i]!, frequency: end - edges[i]! }));
}

Deno.test("RansDecoder takes back what RansEncoder was given", () => {
  fc.assert(fc.property(
    fc.array(fc.integer({ min: 1, max: PROBABILITY_SCALE - 1 }), { maxLength: 40 }),
    fc.array(fc.nat(), { maxLength: 300 }),
    (cuts, picks) => {
      const intervals = intervalsOf(cuts);
      const encoder = new RansEncoder();
      const chosen = picks.map((pick) => intervals[pick % intervals.length]!);
      for (const { start, frequency } of chosen) encoder.put(start, frequency);
      const decoder = new RansDecoder(encoder.finish());
      for (const { start, frequency } of chosen) {
        const offset = decoder.peek() - start;
        assert.ok(offset >= 0 && offset < frequency);
        decoder.take(frequency, offset);
      }
      assert.ok(decoder.isAtEnd());
    },
  ));
});

Deno.test("RansEncoder.putBits() round trips every width", () => {
  fc.assert(fc.property(
    fc.array(fc.tuple(fc.integer({ min: 0, max: 0xffffffff }), fc.integer({ min: 0, max: 32 }))),
    (pairs) => {
      const encoder = new RansEncoder();
      for (const [value, bits] of pairs) encoder.putBits(value, bits);
      const decoder = new RansDecoder(encoder.finish());
      for (const [value, bits] of pairs) {
        const expected = bits === 32 ? value : bits === 0 ? 0 : (value & (2 ** bits - 1)) >>> 0;
        assert.equal(decoder.takeBits(bits), expected);
      }
      assert.ok(decoder.isAtEnd());
    },
  ));
});

Deno.test("RansEncoder.finish() is within 0.1 % of the ideal length", () => {
  const random = createRandom(5);
  const table = normalizeFrequencies(Float64Array.of(60, 25, 10, 4, 0.9, 0.1));
  const starts = [0];
  for (const frequency of table) starts.push(starts.at(-1)! + frequency);
  const encoder = new RansEncoder();
  let idealBits = 0;
  for (let i = 0; i < 100_000; i++) {
    const slot = random.integer(PROBABILITY_SCALE);
    const symbol = starts.findLastIndex((start) => start <= slot);
    encoder.put(starts[symbol]!, table[symbol]!);
    idealBits -= Math.log2(table[symbol]! / PROBABILITY_SCALE);
  }
  const bits = encoder.finish().length * 8;
  assert.ok(bits >= idealBits - 1);
  assert.ok(bits < idealBits * 1.001 + 32 * LANES, `${bits} bits against ${idealBits}`);
});

Deno.test("RansDecoder survives damaged bytes", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
    const decoder = new RansDecoder(bytes);
    for (let i = 0; i < 100; i++) decoder.takeBits(7);
  }));
});

Deno.test("normalizeFrequencies() sums to the scale, keeps every symbol, stays near the weights", () => {
  fc.assert(fc.property(
    fc.array(fc.double({ min: 1e-9, max: 1e9, noNaN: true }), { minLength: 1, maxLength: 200 }),
    (weights) => {
      const frequencies = normalizeFrequencies(Float64Array.from(weights));
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      assert.equal(frequencies.reduce((sum, frequency) => sum + frequency, 0), PROBABILITY_SCALE);
      assert.ok(frequencies.every((frequency) => frequency >= 1));
      for (let i = 0; i < weights.length; i++) {
        const ideal = weights[i]! / total * PROBABILITY_SCALE;
        assert.ok(frequencies[i]! <= ideal + 2 + ideal * 0.001);
      }
    },
  ));
});
