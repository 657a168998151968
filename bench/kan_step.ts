/**
 * What does a training step of a KAN cost, forward and backward? Processor time of cubic networks of 5
 * intervals at two shapes: on the WASM backend by each path, and in float64; with --python also of the
 * KANs for PyTorch that are installed there (efficient_kan, fastkan, pykan), on one thread. The best
 * of many runs.
 *
 *     deno run --allow-read --allow-env bench/kan_step.ts
 *     deno run --allow-all bench/kan_step.ts --python /path/to/python3
 */
import "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs";
import process from "node:process";
import { createKanModel, createRandom, type KanModel } from "@kanpress/kanpress/kan";
import { Kan, type SplinePath } from "@kanpress/kanpress/kan/layers";
import { evaluateObjective } from "@kanpress/kanpress/kan/optimizers";
import { readOptions } from "./support/command_line.ts";
import { runPython } from "./support/run_python.ts";
import { formatCount } from "../eval/report/number_text.ts";
import { printTable } from "./support/theory/table.ts";

const RUNS = 20;
const SHAPES: readonly { widths: readonly [number, ...number[]]; rows: number }[] = [
  { widths: [64, 64], rows: 1024 },
  { widths: [784, 64, 10], rows: 64 },
];
const PATHS: readonly SplinePath[] = ["auto", "local", "dense"];

const { python } = readOptions({ python: { type: "string" } });
await tf.setBackend("wasm");
const others = python === undefined ? [] : await runTorch(python);
const table = new Map<string, string[]>();
for (const [i, { widths, rows }] of SHAPES.entries()) {
  const model = createKanModel({ widths, grid: { intervals: 5 }, random: createRandom(0) });
  for (const path of PATHS) report(`WASM, ${path}`, timeTensors(model, path, rows));
  report("float64", timePlain(model, rows));
  for (const [name, figure] of Object.entries(others[i] ?? {})) report(name, figure);
}

printTable(
  ["", ...SHAPES.map(({ widths, rows }) => `[${widths.join(", ")}], ${formatCount(rows)} samples`)],
  Array.from(table, ([name, figures]) => [name, ...figures]),
);

function report(name: string, milliseconds: number): void {
  table.set(name, [...table.get(name) ?? [], milliseconds.toFixed(1)]);
}

function timeTensors(model: KanModel, path: SplinePath, rows: number): number {
  const kan = Kan.fromModel(model, path);
  const x = tf.randomUniform<tf.Rank.R2>([rows, model.layers[0]!.inputDim], -1, 1, "float32", 1);
  const loss = () => kan.apply(x).square().mean() as tf.Scalar;
  const best = time(() => {
    const { value, grads } = tf.variableGrads(loss, kan.variables);
    tf.dispose([value, ...Object.values(grads)]);
  });
  x.dispose();
  kan.dispose();
  return best;
}

function timePlain(model: KanModel, rows: number): number {
  const random = createRandom(1);
  const columns = model.layers[0]!.inputDim, outputs = model.layers.at(-1)!.outputDim;
  const data = Float64Array.from({ length: rows * columns }, () => 2 * random.uniform() - 1);
  const targets = { rows, columns: outputs, data: new Float64Array(rows * outputs) };
  return time(() => evaluateObjective(model, { inputs: { rows, columns, data }, targets }, "mse"));
}

function time(run: () => unknown): number {
  let best = Infinity;
  for (let i = 0; i < RUNS; i++) {
    const start = process.cpuUsage();
    run();
    const { user, system } = process.cpuUsage(start);
    best = Math.min(best, (user + system) / 1000);
  }
  return best;
}

async function runTorch(python: string): Promise<Record<string, number>[]> {
  const printed = await runPython(
    python,
    "kan_training/torch_speed.py",
    "torch, and efficient_kan, fastkan or pykan",
    JSON.stringify(SHAPES),
  );
  return printed.split("\n").map((line) => JSON.parse(line));
}
