import assert from "node:assert";
import { sweepFigure } from "./sweep_figure.ts";
import type { SweepRecord } from "./sweep_record.ts";
import { failedRow, measuredRow } from "./sweep_results.ts";

const RESULT = {
  tokens: 10,
  chunks: 1,
  perplexity: { original: 5, compressed: 6 },
  perplexityStandardError: { original: 0.1, compressed: 0.1 },
  klDivergence: { mean: 0.02, standardError: 0.001, median: 0.01, p999: 0.1 },
} as unknown as Parameters<typeof measuredRow>[2];

Deno.test("sweepFigure() draws a series for each method and leaves failures out", () => {
  const seconds = { compress: 1, evaluate: 1 };
  const row = (name: string, bitsPerWeight: number) =>
    measuredRow({ name, bits: bitsPerWeight }, { bytes: 100, bitsPerWeight }, RESULT, seconds);
  const record: SweepRecord = {
    model: "tiny",
    settings: {},
    commands: [],
    original: { perplexity: 5, perplexityStandardError: 0.1 },
    points: [
      row("rate", 3),
      row("gptq-3-g64", 3.3),
      row("gptq-4-g128", 4.2),
      row("q3_k", 3.4),
      row("q4_k", 4.5),
      row("q4_0", 4.5),
      failedRow({ name: "rate", bits: 0.1 }, "cannot be reached"),
    ],
  };
  const names = sweepFigure(record).data.map(({ name }) => name);
  assert.deepEqual(names.slice(-4), ["rate", "gptq", "gguf q_k", "gguf q_0"]);
});
