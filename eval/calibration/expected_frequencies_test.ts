import assert from "node:assert";
import fc from "fast-check";
import { createRandom } from "../../kan/numeric/random.ts";
import { expectedFrequencies, unseenShare } from "./expected_frequencies.ts";

Deno.test("as much is expected of what was not seen as came once", () => {
  // Of ten tokens two came once.
  const seen = Float64Array.of(0.5, 0.3, 0.1, 0.1, 0);
  assert.equal(unseenShare(seen, 10), 0.2);
  const predicted = Float64Array.of(1, 1, 1, 1, 4);
  const expected = [0.4 + 0.025, 0.24 + 0.025, 0.08 + 0.025, 0.08 + 0.025, 0.1];
  expectedFrequencies(seen, predicted, 10).forEach((value, i) =>
    assert.ok(Math.abs(value - expected[i]!) < 1e-12)
  );
});

Deno.test("without predictions, or of predictions of nothing, what was seen remains", () => {
  const seen = Float64Array.of(0.5, 0.5);
  assert.equal(expectedFrequencies(seen, undefined, 2), seen);
  assert.equal(expectedFrequencies(seen, new Float64Array(2), 2), seen);
  assert.equal(expectedFrequencies(seen, Float64Array.of(1, 1, 1), 2), seen);
});

Deno.test("shares sum to 1", () => {
  fc.assert(fc.property(fc.array(fc.nat(9), { minLength: 1, maxLength: 40 }), (counts) => {
    const tokens = counts.reduce((sum, count) => sum + count, 0);
    fc.pre(tokens > 0);
    const seen = Float64Array.from(counts, (count) => count / tokens);
    const expected = expectedFrequencies(seen, new Float64Array(counts.length).fill(3), tokens);
    assert.ok(Math.abs(expected.reduce((sum, value) => sum + value, 0) - 1) < 1e-12);
    assert.ok(expected.every((value) => value >= 0));
  }));
});

Deno.test("the share of a text that is new is estimated well from one of the same length", () => {
  // Zipf's law over 5,000 words.
  const size = 5000, tokens = 4000, random = createRandom(1);
  const sums = new Float64Array(size);
  let total = 0;
  for (let i = 0; i < size; i++) sums[i] = total += 1 / (i + 1);
  const draw = () => {
    const at = random.uniform() * total;
    let low = 0, high = size - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sums[middle]! > at) high = middle;
      else low = middle + 1;
    }
    return low;
  };
  const seen = new Float64Array(size);
  for (let i = 0; i < tokens; i++) {
    const token = draw();
    seen[token] = seen[token]! + 1 / tokens;
  }
  let fresh = 0;
  for (let i = 0; i < tokens; i++) if (seen[draw()] === 0) fresh++;
  const estimate = unseenShare(seen, tokens);
  assert.ok(Math.abs(estimate - fresh / tokens) < 0.03, `${estimate} against ${fresh / tokens}`);
});
