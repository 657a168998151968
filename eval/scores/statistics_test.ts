import assert from "node:assert";
import { createRandom } from "../../kan/numeric/random.ts";
import {
  clusterEstimate,
  meanEstimate,
  meanOfClusters,
  quantileEstimate,
  rootEstimate,
} from "./statistics.ts";

/**
 * Mean and standard deviation of an estimator over many samples, and its mean standard error.
 * Samples are 40 clusters of 10 values that share a part of that standard deviation.
 */
function simulate(
  estimate: (values: Float64Array) => { value: number; standardError: number },
  shared = 0,
) {
  const random = createRandom(1);
  const samples = Array.from({ length: 400 }, () => {
    const common = Float64Array.from({ length: 40 }, () => shared * random.normal());
    return estimate(
      Float64Array.from({ length: 400 }, (_, i) => common[Math.floor(i / 10)]! + random.normal()),
    );
  });
  const values = samples.map(({ value }) => value);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  const claimed = samples.reduce((sum, { standardError }) => sum + standardError, 0) / 400;
  return { mean, deviation: Math.sqrt(variance), claimed };
}

Deno.test("standard errors are what repeated samples show", () => {
  const estimators = {
    mean: meanEstimate,
    median: (values: Float64Array) => quantileEstimate(values, 0.5),
    upper: (values: Float64Array) => quantileEstimate(values, 0.95),
    rootMeanSquare: (values: Float64Array) =>
      rootEstimate(meanEstimate(values.map((value) => value ** 2))),
  };
  for (const [name, estimator] of Object.entries(estimators)) {
    const { deviation, claimed } = simulate(estimator);
    assert.ok(Math.abs(claimed / deviation - 1) < 0.12, `${name}: ${claimed} for ${deviation}`);
  }
});

Deno.test("standard errors over clusters hold where values of a cluster are alike", () => {
  const sizes = Array.from({ length: 40 }, () => 10);
  const estimators = {
    mean: (values: Float64Array) => meanOfClusters(values, sizes),
    median: (values: Float64Array) => quantileEstimate(values, 0.5, sizes),
    upper: (values: Float64Array) => quantileEstimate(values, 0.95, sizes),
  };
  for (const [name, estimator] of Object.entries(estimators)) {
    for (const shared of [0, 1]) {
      const { deviation, claimed } = simulate(estimator, shared);
      assert.ok(Math.abs(claimed / deviation - 1) < 0.12, `${name}: ${claimed} for ${deviation}`);
    }
  }
  const naive = simulate(meanEstimate, 1);
  assert.ok(naive.claimed < naive.deviation / 2);
});

Deno.test("one cluster is taken for independent values", () => {
  const values = Float64Array.of(1, 5, 2, 2);
  assert.deepEqual(meanOfClusters(values, [4]), meanEstimate(values));
});

Deno.test("quantiles interpolate between order statistics", () => {
  const values = Float64Array.of(4, 1, 3, 2);
  assert.equal(quantileEstimate(values, 0.5).value, 2.5);
  assert.equal(quantileEstimate(values, 1).value, 4);
  assert.equal(quantileEstimate(Float64Array.of(7), 0.999).value, 7);
});

Deno.test("clusters of one value are values, and equal clusters do not vary", () => {
  const values = [1, 5, 2, 2];
  const { value, standardError } = clusterEstimate(values, [1, 1, 1, 1]);
  const direct = meanEstimate(values);
  assert.equal(value, direct.value);
  assert.ok(Math.abs(standardError - direct.standardError) < 1e-12);
  assert.deepEqual(clusterEstimate([3, 3], [10, 20]), { value: 3, standardError: 0 });
  assert.equal(clusterEstimate([1, 4], [2, 1]).value, 2);
});
