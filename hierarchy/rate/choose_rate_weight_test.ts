import assert from "node:assert";
import { chooseRateWeight } from "./choose_rate_weight.ts";

Deno.test("bits have a price where matrices have metrics and the trellis is slow anyway", () => {
  const matrix = { name: "w", rows: 1, columns: 1, data: Float32Array.of(1) };
  const ones = new Float64Array(1).fill(1);
  const metric = { rowWeights: ones, columnWeights: ones, feedback: new Float32Array() };
  const calibrated = [matrix, { ...matrix, metric }];
  assert.ok(chooseRateWeight(256, calibrated) > 0);
  assert.equal(chooseRateWeight(64, calibrated), chooseRateWeight(256, calibrated));
  assert.equal(chooseRateWeight(8, calibrated), 0);
  assert.equal(chooseRateWeight(256, [matrix]), 0);
});
