import assert from "node:assert";
import { createRandom } from "../../kan/numeric/random.ts";
import { checkSampling, sampleToken, type SamplingOptions } from "./sample_token.ts";

const probabilities = [0.05, 0.4, 0.1, 0.25, 0.2];
const logits = Float32Array.from(probabilities, (p) => Math.log(p) + 3);

function frequencies(options: SamplingOptions): number[] {
  const random = createRandom(11);
  const counts = new Array<number>(probabilities.length).fill(0);
  const draws = 20_000;
  for (let i = 0; i < draws; i++) counts[sampleToken(logits, options, random)]! += 1 / draws;
  return counts;
}

function near(found: number[], expected: number[]): void {
  expected.forEach((value, i) => assert.ok(Math.abs(found[i]! - value) < 0.015, `${found}`));
}

Deno.test("sampleToken() draws from the softmax", () => near(frequencies({}), probabilities));

Deno.test("temperature sharpens, and 0 takes the most likely token", () => {
  const squares = probabilities.map((p) => p * p);
  const total = squares.reduce((sum, p) => sum + p);
  near(frequencies({ temperature: 0.5 }), squares.map((p) => p / total));
  assert.equal(sampleToken(logits, { temperature: 0 }, createRandom(1)), 1);
});

Deno.test("top-k and top-p keep the most likely tokens and renormalize", () => {
  near(frequencies({ topK: 2 }), [0, 0.4 / 0.65, 0, 0.25 / 0.65, 0]);
  near(frequencies({ topP: 0.7 }), [0, 0.4 / 0.85, 0, 0.25 / 0.85, 0.2 / 0.85]);
  near(frequencies({ topK: 2, topP: 0.6 }), [0, 1, 0, 0, 0]);
});

Deno.test("checkSampling() refuses what makes no sense", () => {
  for (const bad of [{ temperature: -1 }, { temperature: NaN }, { topK: 0 }, { topP: 0 }]) {
    assert.throws(() => checkSampling(bad), /must be/);
  }
  checkSampling({ temperature: 0, topK: 1, topP: 1 });
});

Deno.test("what is drawn is what sorting all tokens leaves", () => {
  const random = createRandom(5);
  for (let round = 0; round < 200; round++) {
    const spread = [0.1, 2, 6][round % 3]!;
    const logits = Float32Array.from({ length: 300 }, () => spread * random.normal());
    const topK = [undefined, 1, 7, 250, 1000][round % 5];
    const topP = [1, 0.1, 0.9, 0.9999][round % 4]!;
    const largest = Math.max(...logits);
    const weights = Array.from(logits, (x) => Math.exp(x - largest));
    const order = [...weights.keys()].sort((a, b) => weights[b]! - weights[a]!).slice(0, topK);
    const total = order.reduce((sum, id) => sum + weights[id]!, 0);
    let kept = 0, mass = 0;
    while (kept < order.length && mass < topP * total * (1 - 1e-12)) {
      mass += weights[order[kept++]!]!;
    }
    const uniform = random.uniform();
    let rest = uniform * mass;
    const expected = topK === undefined && topP === 1
      ? undefined
      : order.slice(0, kept).find((id) => (rest -= weights[id]!) < 0);
    const options = { topP, ...(topK !== undefined && { topK }) };
    const found = sampleToken(logits, options, { uniform: () => uniform });
    if (expected !== undefined) assert.equal(found, expected, JSON.stringify(options));
  }
});
