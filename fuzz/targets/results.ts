import { InputError } from "../../data/input_error.ts";
import { isJsonObject } from "../../data/json_file.ts";
import { againstText, compareWith, parseEarlierRun } from "../../cli/evaluate/against.ts";
import { sweepFigure } from "../../cli/sweep/sweep_figure.ts";
import { parseSweep } from "../../cli/sweep/sweep_record.ts";
import { csvOf, failedRow, sweepText } from "../../cli/sweep/sweep_results.ts";
import type { EvaluationResult } from "../../eval/mod.ts";
import { reportPage } from "../../eval/report/report_page.ts";
import { parseReportInput } from "../../eval/report/results.ts";
import { mutateBytes } from "../mutate_bytes.ts";
import { type Json, mutateJson } from "../mutate_json.ts";
import type { FuzzTarget } from "../target.ts";

const CHUNKS = {
  tokens: [8, 8],
  original: [3, 3.5],
  compressed: [3.1, 3.4],
  klDivergence: [0.1, 0.2],
};
const EVALUATION = {
  model: "out/model.kan.safetensors",
  parameters: 1000,
  originalBytes: 4000,
  originalDtype: "F32",
  compressedBytes: 500,
  bitsPerWeight: 4,
  tokens: 16,
  perplexity: { original: 20, compressed: 21 },
  perplexityStandardError: { original: 1, compressed: 1.1 },
  comparedWith: { name: "model", checked: true },
  klDivergence: { mean: 0.1, p999: 1, standardError: 0.01 },
  sameTop1: 0.9,
  protocol: "llama.cpp",
  fingerprint: "f",
  chunkMeans: CHUNKS,
  command: "deno task evaluate",
};
const POINT = {
  ...failedRow({ name: "gptq-3-g64", bits: 3 }, ""),
  error: null,
  bitsPerWeight: 4,
  compressedBytes: 500,
  perplexity: 21,
  perplexityStandardError: 1.1,
  perplexityRatio: 1.05,
  perplexityRatioStandardError: 0.01,
  klDivergence: 0.1,
  klDivergenceStandardError: 0.01,
  klDivergenceP999: 1,
  sameTop1: 0.9,
};
const SWEEP = {
  model: "model",
  settings: { version: "1", seed: 0, calibration: null },
  original: { perplexity: 20, perplexityStandardError: 1 },
  commands: ["deno task sweep"],
  points: [POINT, { ...POINT, name: "rate" }, failedRow({ name: "rate", bits: 0.1 }, "too few")],
};
const SOUND = [EVALUATION, SWEEP] as unknown as readonly Json[];

/** Uses a reader; its refusal is not the end, since others read the same file. */
async function reads(work: () => void | Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
  }
}

export const target: FuzzTarget = {
  name: "results",
  description: "What evaluate and sweep print and keep, read by report, --against and sweep.",

  mutate(random) {
    const sound = SOUND[random.integer(SOUND.length)]!;
    const text = JSON.stringify(mutateJson(random, sound));
    const lines = random.integer(4) === 0 ? `${text}\n${JSON.stringify(sound)}` : text;
    const bytes = new TextEncoder().encode(lines);
    return random.integer(8) === 0 ? mutateBytes(random, bytes) : bytes;
  },

  async read(input) {
    const text = new TextDecoder().decode(input);
    await reads(async () => {
      const { rows, written } = parseReportInput(text, "results.json");
      await reportPage({ rows, written, commands: rows.flatMap(({ commands = [] }) => commands) });
    });
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      return;
    }
    await reads(() => {
      if (!isJsonObject(value)) return;
      const { fingerprint } = EVALUATION;
      const run = { fingerprint, chunkMeans: CHUNKS } as unknown as EvaluationResult;
      againstText(compareWith(parseEarlierRun(value, "base.json"), run));
    });
    await reads(() => {
      const record = parseSweep(value, "sweep.json");
      sweepText(record);
      csvOf(record.points);
      sweepFigure(record);
    });
  },
};
