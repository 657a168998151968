/**
 * Does kanpress need fewer bytes than llama.cpp's types for the same divergence from the original
 * model? Calibrates on the same text, compresses to the bytes that are allowed (whole file, embeddings
 * and container included) and evaluates on all of the text that llama.cpp was evaluated on. Needs
 * the models and texts of ../shared; see the models' README.md for how llama.cpp was run.
 *
 *     deno run --allow-all bench/llama_cpp.ts
 *     deno run --allow-all bench/llama_cpp.ts --model prose-4m --only Q4_K_M,Q2_K --chunks 100
 *
 * `--states` and `--rate-weight` change the code, `--json PATH` writes the numbers. Ends with
 * status 1 where a goal is missed.
 */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { EvaluationResult } from "../eval/mod.ts";
import {
  type CompressorOptions,
  decompressWeights,
  HierarchicalCompressor,
} from "../hierarchy/mod.ts";
import { type CalibratedModel, openCalibrated } from "./support/theory/calibrated_model.ts";
import {
  LLAMA_CPP_MODELS,
  type LlamaCppModel,
  type LlamaCppPoint,
} from "./support/theory/llama_cpp_figures.ts";
import { printTable } from "./support/theory/table.ts";

const SHARED = fileURLToPath(new URL("../../shared", import.meta.url));

const { values: args } = parseArgs({
  options: {
    model: { type: "string" },
    only: { type: "string" },
    chunks: { type: "string" },
    "calibration-tokens": { type: "string", default: "32768" },
    states: { type: "string" },
    "rate-weight": { type: "string" },
    json: { type: "string" },
  },
});

/** Aims so far below the budget: the rate search ends within 0.2 % of its goal. */
const AIM = 0.998;

const code: CompressorOptions = {
  ...(args.states !== undefined && { states: Number(args.states) }),
  ...(args["rate-weight"] !== undefined && { rateWeight: Number(args["rate-weight"]) }),
};

interface Measured {
  readonly point: LlamaCppPoint;
  readonly bytes: number;
  readonly seconds: number;
  readonly result: EvaluationResult;
}

async function open({ name, ...rest }: LlamaCppModel): Promise<CalibratedModel> {
  return await openCalibrated({
    path: `${SHARED}/models/${name}`,
    calibrationText: await Deno.readTextFile(`${SHARED}/data/${rest.calibration}`),
    calibrationTokens: Number(args["calibration-tokens"]),
    evaluationText: await Deno.readTextFile(`${SHARED}/data/${rest.evaluation}`),
    contextLength: rest.contextLength,
    ...(args.chunks === undefined ? {} : { chunks: Number(args.chunks) }),
  });
}

async function measure(model: CalibratedModel, point: LlamaCppPoint): Promise<Measured> {
  const { weights, metrics, config, name } = model;
  let parameters = 0;
  for (const { data } of weights.values()) parameters += data.length;
  const start = performance.now();
  const bits = 8 * AIM * point.budget / parameters;
  const compressor = new HierarchicalCompressor({ ...code, bits });
  const { bytes } = await compressor.compress(weights, { metrics, config, source: name });
  const seconds = (performance.now() - start) / 1000;
  const result = await model.evaluate(await decompressWeights(bytes));
  return { point, bytes: bytes.length, seconds, result };
}

function isReached({ point, bytes, result }: Measured): boolean {
  const { mean, p999 } = result.klDivergence!;
  return bytes <= point.budget && mean <= (point.target ?? point.klDivergence) &&
    p999 <= (point.p999 ?? Infinity);
}

function print(measured: readonly Measured[]): void {
  const headings = ["type", "its bytes", "ours", "share", "its KL", "ours", "its 99.9 %", "ours"];
  const rows = measured.map((one) => {
    const { point, bytes, result } = one;
    const { mean, standardError, p999 } = result.klDivergence!;
    return [
      point.type,
      `${point.bytes}`,
      `${bytes}`,
      `${(100 * bytes / point.bytes).toFixed(1)} %`,
      `${point.klDivergence}${point.target === undefined ? "" : ` (goal ${point.target})`}`,
      `${mean.toPrecision(4)} ± ${standardError.toPrecision(1)}`,
      `${point.p999 ?? ""}`,
      p999.toPrecision(3),
      `${(100 * point.sameTop1).toFixed(1)} %`,
      `${(100 * result.sameTop1!.share).toFixed(1)} %`,
      point.perplexity.toFixed(3),
      result.perplexity.compressed!.toFixed(3),
      `${one.seconds.toFixed(0)} s`,
      isReached(one) ? "reached" : "MISSED",
    ];
  });
  printTable([...headings, "its top 1", "ours", "its ppl", "ours", "time", "goal"], rows);
}

const only = args.only?.split(",");
const all: { model: string; measured: Measured }[] = [];
for (const spec of LLAMA_CPP_MODELS) {
  const points = spec.points.filter(({ type }) => only?.includes(type) ?? true);
  if ((args.model ?? spec.name) !== spec.name || points.length === 0) continue;
  if (!existsSync(`${SHARED}/models/${spec.name}`)) {
    console.log(`${spec.name}: ../shared is absent, skipped`);
    continue;
  }
  const model = await open(spec);
  const measured: Measured[] = [];
  for (const point of points) {
    measured.push(await measure(model, point));
    const { klDivergence } = measured.at(-1)!.result;
    console.error(`${spec.name} at ${point.type}: KL ${klDivergence!.mean.toPrecision(4)}`);
  }
  const { perplexity, tokens } = measured[0]!.result;
  console.log(`${spec.name}: perplexity ${perplexity.original.toFixed(3)} over ${tokens} tokens\n`);
  print(measured);
  console.log();
  all.push(...measured.map((one) => ({ model: spec.name, measured: one })));
}
if (args.json !== undefined) {
  await Deno.writeTextFile(args.json, JSON.stringify(all, undefined, 2) + "\n");
}
if (all.some(({ measured }) => !isReached(measured))) Deno.exit(1);
