import assert from "node:assert";
import { upperFactor } from "../../hierarchy/metric/upper_factor.ts";
import { triangleSize, triangleStart } from "../../hierarchy/matrix/triangle.ts";
import { createRandom } from "../../kan/numeric/random.ts";
import { describeModel } from "../architectures/registry.ts";
import { smallLlama } from "../testdata/small_llama.ts";
import { finiteTextLoss, usualTokens } from "./finite_text_loss.ts";
import { type MomentOfText, tokensPerDraw } from "./tokens_per_draw.ts";

const random = createRandom(4);
const SIZE = 12;

/** The moment of Gaussian draws whose features go together, each of which comes `repeats` times. */
function drawn(draws: number, repeats: number): MomentOfText {
  const triangle = new Float64Array(triangleSize(SIZE));
  for (let draw = 0; draw < draws; draw++) {
    const common = random.normal();
    const x = Array.from({ length: SIZE }, (_, i) => (1 + i) * (random.normal() + common));
    for (let i = 0; i < SIZE; i++) {
      for (let j = 0; j <= i; j++) triangle[triangleStart(i) + j]! += repeats * x[i]! * x[j]!;
    }
  }
  return { triangle, tokens: draws * repeats };
}

Deno.test("tokens that say the same again are no draws of their own", () => {
  for (const repeats of [1, 3, 10]) {
    let sum = 0;
    for (let trial = 0; trial < 40; trial++) {
      // The halves need not be of one length.
      sum += tokensPerDraw(drawn(100, repeats), drawn(130, repeats), SIZE) / 40;
    }
    assert.ok(Math.abs(sum / repeats - 1) < 0.15, `${sum} of ${repeats}`);
  }
});

Deno.test("moments that are equal, or of nothing, are as of endless draws", () => {
  const moment = drawn(50, 1);
  assert.ok(tokensPerDraw(moment, moment, SIZE) < 1e-3);
  const nothing = { triangle: new Float32Array(triangleSize(SIZE)), tokens: 50 };
  assert.equal(tokensPerDraw(nothing, nothing, SIZE), 0);
});

Deno.test("error feedback by factors of m draws of d inputs adds d / 2m to the error", () => {
  const size = 20, draws = 400;
  let excess = 0;
  for (let trial = 0; trial < 30; trial++) {
    // Inputs that are independent: what draws make of them is chance.
    const moment = new Float64Array(size * size);
    for (let draw = 0; draw < draws; draw++) {
      const x = Array.from({ length: size }, () => random.normal());
      for (let i = 0; i < size; i++) {
        for (let j = 0; j < size; j++) moment[i * size + j]! += x[i]! * x[j]!;
      }
    }
    const u = upperFactor(moment, size, 0);
    // Row k of the inverse of U / diag(U) is the error that rounding k by 1 makes in the end.
    for (let k = 0; k < size; k++) {
      const error = new Float64Array(size);
      for (let j = k; j < size; j++) {
        let value = j === k ? 1 : 0;
        for (let i = k; i < j; i++) value -= error[i]! * u[i * size + j]! / u[j * size + j]!;
        error[j] = value;
      }
      excess += (error.reduce((sum, value) => sum + value * value, 0) - 1) / size / 30;
    }
  }
  assert.ok(Math.abs(excess / (size / 2 / draws) - 1) < 0.1, `${excess}`);
});

Deno.test("the loss is that of inputs and of outputs, in the mean over all weights", () => {
  const model = describeModel({ ...smallLlama, num_hidden_layers: 1 }, []);
  // Queries 16 × 16, keys and values 16 × 8, output 16 × 16, gate and up 16 × 24, down 24 × 16; head and
  // embedding 20 × 16 of which each is known from one side.
  const weights = [256, 128, 128, 256, 384, 384, 384, 320, 320];
  const inputs = [16, 16, 16, 16, 16, 16, 24, 16, 0];
  const outputs = [16, 8, 8, 16, 24, 24, 16, 0, 16];
  const total = weights.reduce((sum, value) => sum + value, 0);
  const mean = (sizes: readonly number[]) =>
    sizes.reduce((sum, size, i) => sum + size * weights[i]!, 0) / total;
  const loss = finiteTextLoss(model, { inputs: 2, gradients: 3 }, 500);
  assert.ok(Math.abs(loss - (2 * mean(inputs) + 3 * mean(outputs)) / 1000) < 1e-12);
  const forward = finiteTextLoss(model, { inputs: 2 }, 500);
  assert.ok(Math.abs(forward - 2 * mean(inputs) / 1000) < 1e-12);
  const tokens = usualTokens(model, 0.05);
  assert.ok(tokens > 100 && tokens < 5000);
});
