import assert from "node:assert";
import { compareRuns, type RunFigures } from "./compare_runs.ts";

const base: RunFigures = {
  fingerprint: "f",
  chunkMeans: { tokens: [10, 30], original: [2, 4], compressed: [2.5, 4.5], klDivergence: [1, 1] },
};

Deno.test("the compressed models are compared where there are any", () => {
  const chunkMeans = { ...base.chunkMeans, compressed: [2.6, 4.6], klDivergence: [1.2, 1.4] };
  const { perplexityRatio, klDivergenceChange } = compareRuns(base, { ...base, chunkMeans });
  assert.ok(Math.abs(perplexityRatio.value - Math.exp(0.1)) < 1e-12);
  assert.ok(perplexityRatio.standardError < 1e-12);
  assert.ok(Math.abs(klDivergenceChange!.value - (10 * 0.2 + 30 * 0.4) / 40) < 1e-12);
  assert.ok(klDivergenceChange!.standardError > 0);
});

Deno.test("a run without a compressed model is compared by its original", () => {
  const { tokens, original } = base.chunkMeans;
  const comparison = compareRuns({ ...base, chunkMeans: { tokens, original } }, base);
  assert.ok(Math.abs(comparison.perplexityRatio.value - Math.exp(0.5)) < 1e-12);
  assert.equal(comparison.klDivergenceChange, undefined);
});

Deno.test("runs over other tokens are refused", () => {
  assert.throws(() => compareRuns(base, { ...base, fingerprint: "g" }), /different tokens/);
});
