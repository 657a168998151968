/**
 * How do time and memory grow with a model's size? Makes models with random weights in the shapes of
 * published ones, compresses each as a process of its own, and prints processor seconds and peak memory
 * of each phase (Linux only), and how near `compress` comes to that memory beforehand, as a ratio. Then
 * what larger models need, by the same arithmetic.
 *
 *     deno run --allow-all bench/model_sizes.ts
 *     deno run --allow-all bench/model_sizes.ts --shapes SmolLM2-135M --backend native --memory 1GB
 *
 * `--tokens` are the tokens of calibration; `--memory` goes to `compress`; `--shapes none` prints what
 * arithmetic says alone, which goes for two threads.
 */
import { join } from "node:path";
import { memoryNeed, peakOf } from "../cli/forecast/memory_need.ts";
import { readEmbeddedCalibration } from "../data/mod.ts";
import {
  calibrationSeconds,
  codingSeconds,
  driftSeconds,
  factoringSeconds,
  modelWork,
} from "../cli/forecast/step_costs.ts";
import { describeModel } from "../eval/architectures/registry.ts";
import { isNativeInstalled } from "../eval/native/runtime.ts";
import { expectedTensors } from "../eval/weights/expected_tensors.ts";
import { elementCount } from "../data/tensor.ts";
import { chooseStates } from "../hierarchy/choose_states.ts";
import { endFor, readOptions } from "./support/command_line.ts";
import { measureProcess } from "./support/measured_process.ts";
import { SHAPES, writeShape } from "./support/model_sizes/write_shape.ts";
import { printTable } from "./support/theory/table.ts";

const PHASES = ["calibrate", "factor", "compress", "evaluate"] as const;
const THREADS = navigator.hardwareConcurrency;
/** What the tables of larger models are of. */
const TABLE_THREADS = 2, TABLE_TOKENS = 32_768;

const options = readOptions({
  shapes: { type: "string", default: "stories15M,stories42M,stories110M" },
  tokens: { type: "string", default: "2048" },
  bits: { type: "string", default: "3" },
  backend: { type: "string", default: isNativeInstalled() ? "native" : "wasm" },
  memory: { type: "string" },
});
const backend = options.backend as "native" | "wasm";

function row(cells: readonly string[]): void {
  console.log(cells.map((cell, i) => i === 0 ? cell.padEnd(26) : cell.padStart(12)).join(""));
}

function minutes(seconds: number): string {
  return (seconds / 60).toFixed(seconds < 600 ? 1 : 0);
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(2)} GB`;
}

/** What a model of a shape needs by arithmetic, whole, without drift corrected, and with moments on disk. */
function expected(name: keyof typeof SHAPES, threads: number, driftTokens: number) {
  const model = describeModel(SHAPES[name], []);
  const tensors = Array.from(
    expectedTensors(model),
    ([name, shape]) => ({ name, shape, dtype: "BF16" as const }),
  );
  const parameters = tensors.reduce((sum, { shape }) => sum + elementCount(shape), 0);
  const isByLayer = backend === "native" && parameters >= 2 ** 25;
  const plan = {
    tensors,
    calibrates: true,
    measures: isByLayer ? "layers" as const : "models" as const,
    backend,
    threads,
  };
  const passes = model.layers.length;
  const work = modelWork(model), states = chooseStates({ effort: "normal" }, work.weights);
  const seconds = [
    calibrationSeconds(work, TABLE_TOKENS, plan),
    factoringSeconds(work),
    codingSeconds(work, states, "rate", plan),
    driftSeconds(work, driftTokens, "rate", plan),
  ];
  const whole = memoryNeed(model, { ...plan, driftTokens });
  const least = memoryNeed(model, plan, { passes, codingThreads: 1 });
  return { parameters, whole, plain: memoryNeed(model, plan), least, seconds };
}

async function measure(name: keyof typeof SHAPES, folder: string): Promise<void> {
  const model = join(folder, name), text = join(folder, "calibration.txt");
  await writeShape(SHAPES[name], model);
  const { peaks, phaseProcessorSeconds, peak } = await measureProcess([
    ...["compress", model, "--out", join(folder, "out"), "--no-cache", "--bits", options.bits],
    ...["--calibration", text, "--calibration-tokens", options.tokens, "--tokens", "1024"],
    ...[
      "--backend",
      backend,
      ...(options.memory === undefined ? [] : ["--memory", options.memory]),
    ],
  ]);
  const { parameters, whole } = expected(name, THREADS, Number(options.tokens));
  console.log(`\n${name}: ${(parameters / 1e6).toFixed(1)} million parameters, ${backend}`);
  row(["phase", "processor", "ns/weight", "peak", "expected", "ratio"]);
  for (const phase of PHASES) {
    const seconds = phaseProcessorSeconds.get(phase) ?? 0, most = peaks.get(phase) ?? 0;
    row([
      phase,
      `${seconds.toFixed(1)} s`,
      (1e9 * seconds / parameters).toFixed(0),
      gigabytes(most),
      gigabytes(whole[phase]),
      (most / whole[phase]).toFixed(2),
    ]);
  }
  const all = peakOf(whole);
  row(["process", "", "", gigabytes(peak), gigabytes(all), (peak / all).toFixed(2)]);
  await Deno.remove(model, { recursive: true });
}

const names = options.shapes === "none" ? [] : options.shapes.split(",");
for (const name of names) {
  if (!(name in SHAPES)) {
    endFor(`--shapes: no ${name}; there are ${Object.keys(SHAPES).join(", ")}`);
  }
}
const folder = await Deno.makeTempDir();
try {
  await Deno.writeTextFile(join(folder, "calibration.txt"), await readEmbeddedCalibration());
  for (const name of names) await measure(name as keyof typeof SHAPES, folder);
} finally {
  await Deno.remove(folder, { recursive: true });
}
const all = Object.keys(SHAPES) as (keyof typeof SHAPES)[];
console.log(`\nmemory by arithmetic, ${backend}, ${TABLE_THREADS} threads\n`);
printTable(
  ["shape", ...PHASES, "without drift", "least, with moments on disk"],
  all.map((name) => {
    const { whole, plain, least } = expected(name, TABLE_THREADS, TABLE_TOKENS);
    return [
      name,
      ...PHASES.map((phase) => gigabytes(whole[phase])),
      ...[peakOf(plain), peakOf(least)].map(gigabytes),
    ];
  }),
);
console.log(`\nminutes by arithmetic, ${TABLE_TOKENS} tokens of calibration\n`);
printTable(
  ["shape", "calibrate", "factor", "compress", "drift"],
  all.map((name) => [
    name,
    ...expected(name, TABLE_THREADS, TABLE_TOKENS).seconds.map(minutes),
  ]),
);
