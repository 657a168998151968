import assert from "node:assert";
import type { EvaluationResult } from "../../eval/mod.ts";
import { csvOf, failedRow, frontOf, measuredRow, sweepText } from "./sweep_results.ts";

const estimate = { value: 1.1, standardError: 0.01 };

function resultOf(mean: number): EvaluationResult {
  return {
    protocol: "llama.cpp",
    tokens: 100,
    chunks: 2,
    contextLength: 100,
    fingerprint: "f",
    perplexity: { original: 50, compressed: 55 },
    perplexityStandardError: { original: 1, compressed: 2 },
    perplexityRatio: estimate,
    klDivergence: {
      mean,
      standardError: 0.001,
      median: mean / 2,
      medianStandardError: 0.001,
      p99: 0.03,
      p99StandardError: 0.001,
      p999: 10 * mean,
      p999StandardError: 0.01,
    },
    sameTop1: { share: 0.8, standardError: 0.01 },
    rmsProbabilityChange: estimate,
    chunkMeans: { tokens: [50, 50], original: [4, 4] },
  };
}

const row = (name: string, bitsPerWeight: number, mean: number) =>
  measuredRow({ name, bits: 3 }, { bytes: 1000, bitsPerWeight }, resultOf(mean), {
    compress: 1,
    evaluate: 2,
  });
const rows = [
  row("a", 4, 0.1),
  row("b", 3, 0.2),
  row("c", 3.5, 0.3),
  failedRow({ name: "d", bits: 0.2 }, 'bits: 0.2, "too few"'),
];

Deno.test("the front leaves out what is larger and worse, and what failed", () => {
  assert.deepEqual(frontOf(rows).map(({ name }) => name), ["b", "a"]);
});

Deno.test("CSV has a line for each point, with quotes where they are needed", () => {
  const lines = csvOf(rows).split("\r\n");
  assert.equal(lines.length, 6);
  assert.match(lines[0]!, /^name,bits,bitsPerWeight,.*,error$/);
  assert.match(lines[1]!, /^a,3,4,1000,55,2,1\.1,0\.01,0\.1,/);
  assert.match(lines[4]!, /^d,0\.2,,+"bits: 0\.2, ""too few"""$/);
  const columns = lines[0]!.split(",").length;
  assert.equal(lines[1]!.split(",").length, columns);
});

Deno.test("the text marks the front and tells what failed", () => {
  const original = { perplexity: 50, perplexityStandardError: 1 };
  const text = sweepText({ model: "m", settings: {}, original, commands: [], points: rows });
  assert.match(text, /^m, perplexity 50\.0 ± 1\.0\n/);
  assert.match(text, /\n\* +b +3\.000 .*\n +c +3\.500 .*\n\* +a +4\.000/);
  assert.match(text, /\nd at 0\.2 bits: bits: 0\.2/);
});

Deno.test("a figure that is not finite is null in the record, and shown as that", () => {
  const result = { ...resultOf(0.1), perplexityRatio: { value: Infinity, standardError: NaN } };
  const infinite = measuredRow({ name: "x" }, { bytes: 10, bitsPerWeight: 2 }, result, {
    compress: 1,
    evaluate: 2,
  });
  assert.deepEqual(infinite.perplexityRatio, null);
  assert.deepEqual(JSON.parse(JSON.stringify(infinite)), infinite);
  const original = { perplexity: null, perplexityStandardError: null };
  const text = sweepText({ model: "m", settings: {}, original, commands: [], points: [infinite] });
  assert.match(text, /^m, perplexity ∞\n/);
  assert.match(text, /x +2\.000 +∞ +0\.1000/);
});
