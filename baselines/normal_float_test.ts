import assert from "node:assert";
import { NORMAL_FLOAT_VALUES, normalFloat4 } from "./normal_float.ts";
import { meanSquaredError, randomMatrix } from "./testdata/random_matrix.ts";

/** The normal distribution's quantile: bisection on a sum of its density. */
function normalQuantile(probability: number): number {
  const distribution = (x: number) => {
    const steps = 2000;
    let sum = 0;
    for (let i = 0; i < steps; i++) sum += Math.exp(-0.5 * ((i + 0.5) * x / steps) ** 2);
    return 0.5 + sum * x / steps / Math.sqrt(2 * Math.PI);
  };
  let low = -5, high = 5;
  for (let i = 0; i < 45; i++) {
    const middle = (low + high) / 2;
    if (distribution(middle) < probability) low = middle;
    else high = middle;
  }
  return low;
}

Deno.test("the values are quantiles of the normal distribution scaled to one", () => {
  const end = 0.9677083; // the mean of 1 - 1/30 and 1 - 1/32
  const largest = normalQuantile(end);
  for (let i = 1; i <= 8; i++) {
    const expected = normalQuantile(0.5 + (end - 0.5) * i / 8) / largest;
    assert.ok(Math.abs(NORMAL_FLOAT_VALUES[7 + i]! - expected) < 1e-5);
    if (i === 8) continue;
    const below = normalQuantile(0.5 + (end - 0.5) * i / 7) / largest;
    assert.ok(Math.abs(NORMAL_FLOAT_VALUES[7 - i]! + below) < 1e-5);
  }
});

Deno.test("each weight takes the nearest value of its block", () => {
  const weights = randomMatrix(3, 100, 1);
  const options = { blockSize: 64, doubleQuantization: false };
  const { reconstruction, bytes } = normalFloat4(weights, options);
  assert.equal(bytes, 150 + 4 * 5);
  for (let start = 0; start < 300; start += 64) {
    const block = weights.data.subarray(start, start + 64);
    const largest = Math.max(...block.map(Math.abs));
    block.forEach((value, i) => {
      const nearest = Math.min(
        ...NORMAL_FLOAT_VALUES.map((unit) => Math.abs(unit * largest - value)),
      );
      assert.ok(Math.abs(Math.abs(reconstruction[start + i]! - value) - nearest) < 1e-6);
    });
  }
});

Deno.test("double quantization saves three eighths of a bit and adds hardly any error", () => {
  const weights = randomMatrix(64, 512, 2);
  const [plain, double] = [false, true].map((doubleQuantization) =>
    normalFloat4(weights, { blockSize: 64, doubleQuantization })
  );
  assert.equal(plain!.bytes - double!.bytes, 512 * 3 - 4 * 2 - 4);
  const errors = [plain!, double!].map((result) =>
    meanSquaredError(result.reconstruction, weights.data)
  );
  assert.ok(errors[1]! < 1.01 * errors[0]!);
});
