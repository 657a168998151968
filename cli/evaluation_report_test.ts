import assert from "node:assert";
import { evaluationFields, evaluationText } from "./evaluation_report.ts";

const alone = {
  tokens: 3810,
  chunks: 30,
  contextLength: 256,
  perplexity: { original: 53.789 },
  perplexityStandardError: { original: 0.72 },
};
const both = {
  ...alone,
  perplexity: { original: 53.789, compressed: 54.174 },
  perplexityStandardError: { original: 0.72, compressed: 0.73 },
  klDivergence: { mean: 0.00587, standardError: 0.00004, p999: 0.0663 },
  sameTop1: { share: 0.937, standardError: 0.004 },
};
const sizes = { parameters: 1000, originalBytes: 2000, compressedBytes: 500, bitsPerWeight: 4 };

Deno.test("an ordinary model has four fields", () => {
  const fields = evaluationFields({ model: "m", result: alone, seconds: {} });
  assert.deepEqual(fields, {
    model: "m",
    tokens: 3810,
    perplexity: 53.789,
    perplexityStandardError: 0.72,
  });
});

Deno.test("a compressed model has the fields of compress too", () => {
  const fields = evaluationFields({ model: "m", result: both, sizes, seconds: { total: 1 } });
  assert.deepEqual(fields, {
    model: "m",
    ...{ parameters: 1000, originalBytes: 2000, compressedBytes: 500, bitsPerWeight: 4 },
    tokens: 3810,
    perplexity: { original: 53.789, compressed: 54.174 },
    perplexityStandardError: { original: 0.72, compressed: 0.73 },
    klDivergence: { mean: 0.00587, p999: 0.0663 },
    sameTop1: 0.937,
    seconds: { total: 1 },
  });
});

Deno.test("a compressed model without its original says so", () => {
  const outcome = { model: "m", result: alone, sizes, seconds: {} };
  assert.deepEqual(evaluationFields(outcome)["perplexity"], { compressed: 53.789 });
  assert.match(evaluationText(outcome, "t"), /perplexity 53.79 ± 0.72\n.*\n.*--original/);
});

Deno.test("the text shows the comparison", () => {
  const text = evaluationText({ model: "m", result: both, sizes, seconds: {} }, "my.txt");
  assert.match(text, /^m, 1,000 parameters\n/);
  assert.match(text, /perplexity +53\.79 ± 0\.72 +54\.17 ± 0\.73/);
  assert.match(text, /of my\.txt$/);
});
