import assert from "node:assert";
import type { EvaluationResult } from "../../eval/mod.ts";
import { evaluationFields, evaluationText } from "./evaluation_report.ts";

const alone: EvaluationResult = {
  protocol: "llama.cpp",
  fingerprint: "f",
  chunkMeans: { tokens: [1900, 1910], original: [3.9, 4.1] },
  tokens: 3810,
  chunks: 30,
  contextLength: 256,
  perplexity: { original: 53.789 },
  perplexityStandardError: { original: 0.72 },
};
const divergence = {
  mean: 0.00587,
  standardError: 0.00004,
  median: 0.003,
  medianStandardError: 0.0001,
  p99: 0.03,
  p99StandardError: 0.001,
  p999: 0.0663,
  p999StandardError: 0.002,
};
const both: EvaluationResult = {
  ...alone,
  perplexity: { original: 53.789, compressed: 54.174 },
  perplexityStandardError: { original: 0.72, compressed: 0.73 },
  perplexityRatio: { value: 1.00716, standardError: 0.0012 },
  klDivergence: divergence,
  rmsProbabilityChange: { value: 0.0213, standardError: 0.0004 },
  sameTop1: { share: 0.937, standardError: 0.004 },
};
const sizes = {
  parameters: 1000,
  originalBytes: 2000,
  originalDtype: "F16" as const,
  compressedBytes: 500,
  bitsPerWeight: 4,
};

const measured = {
  command: "c",
  backend: "wasm" as const,
  protocol: "llama.cpp",
  chunks: 30,
  contextLength: 256,
  fingerprint: "f",
  chunkMeans: { tokens: [1900, 1910], original: [3.9, 4.1] },
};

Deno.test("an ordinary model has its perplexity and what it is compared by", () => {
  const fields = evaluationFields({
    model: "m",
    result: alone,
    seconds: {},
    command: "c",
    backend: "wasm" as const,
  });
  assert.deepEqual(fields, {
    model: "m",
    tokens: 3810,
    perplexity: 53.789,
    perplexityStandardError: 0.72,
    ...measured,
  });
});

Deno.test("a compressed model has the fields of compress too", () => {
  const fields = evaluationFields({
    model: "m",
    result: both,
    sizes,
    seconds: { total: 1 },
    command: "c",
    backend: "wasm" as const,
  });
  assert.deepEqual(fields, {
    model: "m",
    ...sizes,
    tokens: 3810,
    perplexity: { original: 53.789, compressed: 54.174 },
    perplexityStandardError: { original: 0.72, compressed: 0.73 },
    klDivergence: divergence,
    sameTop1: 0.937,
    perplexityRatio: { value: 1.00716, standardError: 0.0012 },
    sameTop1StandardError: 0.004,
    rmsProbabilityChange: { value: 0.0213, standardError: 0.0004 },
    seconds: { total: 1 },
    ...measured,
  });
});

Deno.test("a compressed model without its original says so", () => {
  const outcome = {
    model: "m",
    result: alone,
    sizes,
    seconds: {},
    command: "c",
    backend: "wasm" as const,
  };
  assert.deepEqual(evaluationFields(outcome)["perplexity"], { compressed: 53.789 });
  assert.match(evaluationText(outcome, "t"), /perplexity 53.79 ± 0.72\n.*\n.*--original/);
});

Deno.test("the text shows the comparison", () => {
  const text = evaluationText(
    { model: "m", result: both, sizes, seconds: {}, command: "c", backend: "wasm" as const },
    "my.txt",
  );
  assert.match(text, /^m, 1,000 parameters\n/);
  assert.match(text, /perplexity +53\.79 ± 0\.72 +54\.17 ± 0\.73/);
  assert.match(text, /perplexity ratio +1\.0072 ± 0\.0012/);
  assert.match(text, /median KL divergence +0\.00300 ± 0\.00010/);
  assert.match(text, /RMS change of p +2\.130 ± 0\.040 %/);
  assert.match(text, /of my\.txt$/);
});

Deno.test("a comparison with an earlier run comes last", () => {
  const against = {
    file: "base.json",
    model: "n",
    perplexityRatio: { value: 1.02, standardError: 0.003 },
    klDivergenceChange: { value: -0.001, standardError: 0.0002 },
  };
  const outcome = {
    model: "m",
    result: both,
    sizes,
    seconds: {},
    command: "c",
    backend: "wasm" as const,
    against,
  };
  assert.match(
    evaluationText(outcome, "t"),
    /against n in base.json:\n.*1\.0200 ± 0\.0030 times.*\n.*-0\.00100 ± 0\.00020 nats$/,
  );
  assert.deepEqual(evaluationFields(outcome)["against"], against);
});
