import assert from "node:assert";
import { createRandom } from "../../kan/numeric/random.ts";
import { HierarchicalCompressor } from "../compressor.ts";
import { factorMetrics } from "./factor_metrics.ts";
import type { TensorMetric } from "./tensor_metric.ts";

/** Random weights [out, in] by name, and a metric with one Hessian for all of them. */
function problem() {
  const random = createRandom(3);
  const size = 24, names = ["query", "key"];
  const inputs = Array.from({ length: 30 }, () => Array.from({ length: size }, random.normal));
  const hessian = Float64Array.from(
    { length: size * size },
    (_, at) => inputs.reduce((sum, x) => sum + x[Math.floor(at / size)]! * x[at % size]!, 0),
  );
  const tensor = (rows: number) => ({
    dtype: "F32" as const,
    shape: [rows, size],
    data: Float32Array.from({ length: rows * size }, () => random.normal()),
  });
  const weights = new Map(names.map((name, i) => [name, tensor(20 + i)]));
  let expansions = 0;
  const metrics = new Map(names.map((name, i): [string, TensorMetric] => [name, {
    inputAxis: 1,
    get hessian() {
      expansions++;
      return hessian;
    },
    fisher: Float64Array.from({ length: 20 + i }, () => random.uniform()),
    sharedWith: names.filter((other) => other !== name),
  }]));
  return { weights, metrics, expansions: () => expansions };
}

Deno.test("factored metrics give the same bytes, and a shared Hessian is factored once", async () => {
  const { weights, metrics, expansions } = problem();
  const shares: number[] = [];
  const onProgress = (share: number) => shares.push(share);
  const factored = await factorMetrics(metrics, { weights, bits: 12, onProgress });
  // Damping looks at each diagonal.
  assert.equal(expansions(), 3);
  assert.deepEqual(shares, [0.5, 1]);
  assert.equal(factored.get("key")!.factor, factored.get("query")!.factor);
  const compressor = new HierarchicalCompressor({ bits: 12 });
  const expected = await compressor.compress(weights, { metrics });
  assert.deepEqual(
    (await compressor.compress(weights, { metrics: factored })).bytes,
    expected.bytes,
  );
});

Deno.test("a Hessian that is not finite or not square is named, and a signal stops", async () => {
  const metric = (...hessian: number[]) =>
    new Map([["w", { inputAxis: 1 as const, hessian: Float64Array.from(hessian) }]]);
  await assert.rejects(factorMetrics(metric(1, NaN, NaN, 1)), /w: its calibration has NaN/);
  await assert.rejects(factorMetrics(metric(1, 2, 3)), /w: its calibration is not a square matrix/);
  const signal = AbortSignal.abort(new Error("enough"));
  await assert.rejects(factorMetrics(metric(1), { signal }), /enough/);
});

Deno.test("blocks of outputs that do not begin at whole tiles are refused", async () => {
  const { weights, metrics } = problem();
  const moment = (size: number) =>
    Float64Array.from({ length: size ** 2 }, (_, at) => at % (size + 1) === 0 ? 1 : 0);
  const outputMoments = [{ start: 0, moment: moment(12) }, { start: 12, moment: moment(8) }];
  const blocked = new Map([["query", { ...metrics.get("query")!, outputMoments }]]);
  await assert.rejects(
    new HierarchicalCompressor({ bits: 8 }).compress(weights, { metrics: blocked }),
    /query: a block of its output moments begins at 12; .* multiples of 64/,
  );
});

Deno.test("a moment too large to be factored is named; zeros, and what is not a sum of squares, do no harm", async () => {
  const factor = async (diagonal: number, others: number) => {
    const hessian = Float64Array.from({ length: 16 }, (_, i) => i % 5 === 0 ? diagonal : others);
    return (await factorMetrics(new Map([["w", { inputAxis: 1 as const, hessian }]]))).get("w")!;
  };
  await assert.rejects(factor(1e308, 0), /^InputError: w: its calibration has NaN or infinite/);
  for (const [diagonal, others] of [[0, 0], [-1, 0], [1, 100]] as const) {
    const { rowWeights, feedback } = (await factor(diagonal, others)).factor;
    assert.ok([...rowWeights, ...feedback].every(Number.isFinite));
  }
});
