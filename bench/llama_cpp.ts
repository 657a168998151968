/**
 * Does kanpress need fewer bytes than llama.cpp's types for the same divergence from the original
 * model? Calibrates on the same text, compresses to the bytes that are allowed (whole file, embeddings
 * and container included) and evaluates on all of the text that llama.cpp was evaluated on.
 *
 *     deno run --allow-all bench/llama_cpp.ts --folder FOLDER
 *     deno run --allow-all bench/llama_cpp.ts --folder FOLDER --model prose-4m --only Q4_K_M,Q2_K
 *
 * The folder holds the models and texts that llama.cpp was measured with, which are not part of the
 * repository. `--chunks` takes the beginning of the text, `--states` and `--rate-weight` change the code, `--json PATH` writes the numbers. Ends with
 * status 1 where a goal is missed.
 */
import type { EvaluationResult } from "../eval/mod.ts";
import {
  type CompressorOptions,
  decompressWeights,
  HierarchicalCompressor,
} from "../hierarchy/mod.ts";
import { readOptions } from "./support/command_line.ts";
import { type CalibratedModel, openCalibrated } from "./support/theory/calibrated_model.ts";
import {
  findFiles,
  LLAMA_CPP_MODELS,
  type LlamaCppModel,
  type LlamaCppPoint,
} from "./support/theory/llama_cpp_figures.ts";
import { printTable } from "./support/theory/table.ts";

const args = readOptions({
  folder: { type: "string" },
  model: { type: "string" },
  only: { type: "string" },
  chunks: { type: "string" },
  "calibration-tokens": { type: "string", default: "32768" },
  states: { type: "string" },
  "rate-weight": { type: "string" },
  json: { type: "string" },
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

async function open(spec: LlamaCppModel): Promise<CalibratedModel> {
  const { model, calibration, evaluation } = findFiles(args.folder, spec);
  return await openCalibrated({
    path: model,
    calibrationText: await Deno.readTextFile(calibration),
    calibrationTokens: Number(args["calibration-tokens"]),
    evaluationText: await Deno.readTextFile(evaluation),
    contextLength: spec.contextLength,
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
