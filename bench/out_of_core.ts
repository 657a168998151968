/**
 * Does compressing need no more memory than its largest tensor and layer, however large the model?
 * Makes a sharded model of random weights in BF16 with the shapes of Llama-3.2-1B (1.2 billion weights,
 * 2.5 GB), unless it is there from an earlier run, and compresses it without calibration and
 * decompresses it as processes of their own (Linux only: /proc). Prints the peak memory of each phase
 * beside what `compress` says beforehand, the size of the work folder, and the error of each kind of
 * tensor beside what theory predicts at the bits that it took.
 *
 *     deno run --allow-all bench/out_of_core.ts --folder /tmp/out-of-core
 *     deno run --allow-all bench/out_of_core.ts --folder /tmp/out-of-core --scale 0.1 --calibrate
 *
 * `--scale` takes so many times the weights; `--calibrate` compresses a second time, calibrated on
 * `--tokens`, and with `--calibrated-only` that time alone. Ends with status 1 where an error is not as predicted or, at scale 1, memory exceeds the
 * goal: 1.5 GB, and 3 GB with calibration.
 */
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { openFile, openModel, readEmbeddedCalibration } from "../data/mod.ts";
import { elementCount } from "../data/tensor.ts";
import { formatBytes } from "../eval/report/number_text.ts";
import { openContainer } from "../hierarchy/file/container.ts";
import { reportContainer } from "../hierarchy/report.ts";
import { endFor, readOptions } from "./support/command_line.ts";
import { type MeasuredProcess, measureProcess } from "./support/measured_process.ts";
import { scaledConfig, writeShardedModel } from "./support/out_of_core/sharded_model.ts";
import { relativeErrors } from "./support/out_of_core/tensor_errors.ts";
import { measureGap } from "./support/theory/code_gap.ts";
import { printTable } from "./support/theory/table.ts";
import { gaussianMatrices } from "./support/theory/test_matrices.ts";

/** Most memory at scale 1, without calibration and with it. */
const GOALS = { dataFree: 1.5e9, calibrated: 3e9 };
/** Milliseconds between two looks at the size of the work folder. */
const BETWEEN_LOOKS = 500;
/** By how much an error may differ from the prediction. */
const TOLERANCE = 0.05;
/** States of the trellis where effort is `fast`. */
const STATES = 8;
/** Independent values that the distance of the code from the bound is measured on. */
const GAP_VALUES = 2 ** 20;

const options = readOptions({
  folder: { type: "string", default: "" },
  scale: { type: "string", default: "1" },
  bits: { type: "string", default: "3" },
  tokens: { type: "string", default: "4096" },
  calibrate: { type: "boolean" },
  "calibrated-only": { type: "boolean" },
  backend: { type: "string" },
});
if (options.folder === "") endFor("--folder: say where the model is to be made, or is");
const scale = Number(options.scale), bits = Number(options.bits);
const folder = join(options.folder, `scale-${options.scale}`);
const model = join(folder, "model"), compressed = join(folder, "compressed");
const restored = join(folder, "restored"), work = join(folder, "work");
const parameters = await writeShardedModel(scaledConfig(scale), model);
console.log(`${(parameters / 1e6).toFixed(0)} million weights in ${model}\n`);

const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(2)} GB`;
let isMissed = false;

/** Runs a command, shows what it took, and tells whether its peak is within the goal. */
async function run(title: string, args: readonly string[], goal: number): Promise<MeasuredProcess> {
  let largest = 0;
  const timer = setInterval(() => largest = Math.max(largest, bytesIn(work)), BETWEEN_LOOKS);
  const measured = await measureProcess(args, {
    onLine: (line) => console.error(`${title}: ${line}`),
  });
  clearInterval(timer);
  const { seconds, processorSeconds, peak, peaks } = measured;
  printTable(
    [title, "peak"],
    [...peaks, ["whole process", peak] as const].map(([name, bytes]) => [name, gigabytes(bytes)]),
  );
  const verdict = scale < 1 ? "" : `, goal ${gigabytes(goal)}: ${peak <= goal ? "met" : "MISSED"}`;
  if (scale >= 1 && peak > goal) isMissed = true;
  const times = `${seconds.toFixed(0)} s, ${processorSeconds.toFixed(0)} s of processor`;
  console.log(`\n${times}${verdict}`);
  if (args.includes(work)) {
    const end = formatBytes(bytesIn(work));
    console.log(`work folder: ${formatBytes(largest)} at most, ${end} at the end`);
  }
  console.log();
  return measured;
}

/** Bytes of a folder's files; those that go meanwhile do not count. */
function bytesIn(path: string): number {
  if (!existsSync(path)) return 0;
  const sizes = readdirSync(path).map((name) =>
    statSync(join(path, name), { throwIfNoEntry: false })?.size ?? 0
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

const shared = [
  ...["compress", model, "--bits", options.bits, "--effort", "fast", "--no-cache"],
  ...[
    "--work",
    work,
    "--no-evaluate",
    ...(options.backend === undefined ? [] : ["--backend", options.backend]),
  ],
];
const memory = (goal: number) => ["--memory", `${Math.ceil(goal * Math.min(1, scale) / 1e6)}MB`];
const isCalibratedOnly = options["calibrated-only"] === true;
if (!isCalibratedOnly) await runDataFree();
if (options.calibrate || isCalibratedOnly) await runCalibrated();
await Deno.remove(work, { recursive: true });
if (isMissed) Deno.exit(1);

async function runDataFree(): Promise<void> {
  await run(
    "without calibration",
    [...shared, "--data-free", "--out", compressed, ...memory(GOALS.dataFree)],
    GOALS.dataFree,
  );
  await run(
    "decompress",
    ["decompress", compressed, "--out", restored, "--dtype", "bf16"],
    GOALS.dataFree,
  );
  await checkErrors();
  await Deno.remove(restored, { recursive: true });
}

async function runCalibrated(): Promise<void> {
  const text = join(folder, "calibration.txt"), out = join(folder, "calibrated");
  await Deno.writeTextFile(text, await readEmbeddedCalibration());
  await run("calibrated", [
    ...[...shared, "--calibration", text, "--calibration-tokens", options.tokens, "--out", out],
    ...memory(GOALS.calibrated),
  ], GOALS.calibrated);
}
/**
 * Sets each tensor's error beside the least that any code of so many bits has, 4^-bits, at the distance
 * from it that this code has for independent values.
 */
async function checkErrors(): Promise<void> {
  const file = await openFile(join(compressed, "model.kan.safetensors"));
  const { tensors } = await reportContainer(await openContainer(file), file.byteLength);
  const drawn = gaussianMatrices(GAP_VALUES);
  const code = { states: STATES, rateWeight: 0 };
  const { gap } = await measureGap(drawn.matrices, bits, code, drawn.bound);
  const errors = await relativeErrors(
    (await openModel(model)).weights,
    (await openModel(restored)).weights,
  );
  const kinds = Map.groupBy(tensors, ({ name }) => name.replace(/\.\d+\./, ".*."));
  const rows = Array.from(kinds, ([kind, ofKind]) => {
    const isCoded = ofKind[0]!.levels.includes("trellis");
    const predicted = ofKind.map(({ bitsPerWeight }) => isCoded ? 4 ** (gap - bitsPerWeight) : 0);
    const found = ofKind.map(({ name }) => errors.get(name)!);
    const ratios = isCoded ? found.map((error, i) => error / predicted[i]!) : [];
    const isWrong = (ratio: number) => !(Math.abs(ratio - 1) <= TOLERANCE);
    const wrong = isCoded
      ? ratios.filter(isWrong).length
      : found.filter((error) => error > 0).length;
    if (wrong > 0) isMissed = true;
    const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
    const range = (values: readonly number[]) =>
      `${Math.min(...values).toFixed(3)} to ${Math.max(...values).toFixed(3)}`;
    return [
      kind,
      `${ofKind.length}`,
      `${(elementCount(ofKind[0]!.shape) / 1e6).toFixed(2)}`,
      mean(ofKind.map(({ bitsPerWeight }) => bitsPerWeight)).toFixed(3),
      mean(found).toFixed(5),
      mean(predicted).toFixed(5),
      isCoded ? range(ratios) : "",
      wrong === 0 ? "as predicted" : `${wrong} WRONG`,
    ];
  });
  printTable(
    ["tensor", "number", "million values", "bits", "error", "predicted", "ratio", ""],
    rows,
  );
  console.log(`\ndistance from the bound: ${gap.toFixed(4)} bits\n`);
}
