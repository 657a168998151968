import assert from "node:assert";
import type { EvaluationResult } from "../../eval/mod.ts";
import { compressionFields, compressionText } from "./report.ts";
import { verdictLines } from "../evaluate/comparison.ts";

const result: EvaluationResult = {
  protocol: "llama.cpp",
  fingerprint: "f",
  chunkMeans: { tokens: [1900, 1910], original: [3.9, 4.1] },
  tokens: 3810,
  chunks: 30,
  contextLength: 256,
  perplexity: { original: 53.789, compressed: 54.174 },
  perplexityStandardError: { original: 0.72, compressed: 0.73 },
  klDivergence: {
    mean: 0.00587,
    standardError: 0.00004,
    median: 0.003,
    medianStandardError: 0.0001,
    p99: 0.03,
    p99StandardError: 0.001,
    p999: 0.0663,
    p999StandardError: 0.002,
  },
  sameTop1: { share: 0.937, standardError: 0.004 },
};
const outcome = {
  model: "prose-4m",
  sizes: {
    parameters: 4_273_664,
    originalBytes: 8_552_392,
    originalDtype: "F16" as const,
    compressedBytes: 2_136_832,
    bitsPerWeight: 4,
  },
  result,
  uniform: false,
  driftCorrected: true,
  seconds: { compress: 12.345, total: 12.345 },
  out: "compressed/x/model.kan.safetensors",
  command: "deno task compress --bits 4",
  backend: "wasm" as const,
};

Deno.test("the JSON object has the documented fields and no others", () => {
  assert.deepEqual(compressionFields(outcome), {
    model: "prose-4m",
    parameters: 4_273_664,
    originalBytes: 8_552_392,
    originalDtype: "F16" as const,
    compressedBytes: 2_136_832,
    bitsPerWeight: 4,
    perplexity: { original: 53.789, compressed: 54.174 },
    klDivergence: { mean: 0.00587, p999: 0.0663 },
    sameTop1: 0.937,
    uniform: false,
    driftCorrected: true,
    seconds: { compress: 12.345, total: 12.345 },
    out: "compressed/x/model.kan.safetensors",
    command: "deno task compress --bits 4",
    backend: "wasm" as const,
  });
});

Deno.test("the table shows every figure with the digits that mean something", () => {
  assert.equal(
    compressionText({ ...outcome, textName: "my.txt" }),
    `prose-4m, 4,273,664 parameters

                          original           compressed
size                       8.55 MB              2.14 MB  4.00× smaller than F16
bits per weight              16.01                 4.00  whole file / parameters
perplexity            53.79 ± 0.72         54.17 ± 0.73
mean KL divergence                  0.005870 ± 0.000040  nats per token
99.9th percentile KL                            0.06630  1 token in 1,000 is above
same top 1                               93.70 ± 0.40 %  same likeliest next token

measured on 3,810 predicted tokens in 30 chunks of 256 of my.txt
time: compress 12.3 s, total 12.3 s
written to compressed/x/model.kan.safetensors`,
  );
});

Deno.test("a file that has grown is not called smaller", () => {
  const sizes = { ...outcome.sizes, compressedBytes: 2 * outcome.sizes.originalBytes };
  const text = compressionText({ ...{ ...outcome, sizes }, textName: "my.txt" });
  assert.match(text, /2\.00× larger/);
});

Deno.test("a model that has lost its ability is called that", () => {
  assert.deepEqual(verdictLines(result), []);
  const lost = verdictLines({ ...result, sameTop1: { share: 0.081, standardError: 0.004 } });
  assert.match(lost.join(), /lost most of the original's ability: only 8\.1 %/);
});
