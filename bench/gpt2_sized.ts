/**
 * How long does it take to compress a model of GPT-2's size, and how much memory? Makes one with
 * random weights (124 million parameters), runs `compress` as a process of its own, calibrated on
 * 16,384 tokens, with the default number of threads, and again with `--data-free`. Prints the seconds
 * and the peak of the resident memory (Linux only) of each phase. Takes about ten minutes.
 *
 *     deno run --allow-all bench/gpt2_sized.ts
 *     deno run --allow-all bench/gpt2_sized.ts --bits 3
 *
 * Arguments go to `compress`. The evaluation at the end is of 1,024 tokens.
 */
import { join } from "node:path";
import { readEmbeddedCalibration } from "../data/mod.ts";
import { writeGpt2SizedModel } from "./gpt2_sized/write_model.ts";
import { measureProcess } from "./measured_process.ts";

const GOALS = { minutes: 15, gigabytes: 3 };
const CALIBRATION_TOKENS = 16_384;
const EVALUATION_TOKENS = 1024;

async function measure(name: string, args: readonly string[]): Promise<void> {
  const { output, seconds, processorSeconds, peak, peaks } = await measureProcess([
    "compress",
    ...args,
  ]);
  const phases = Object.entries(output.seconds as Record<string, number>)
    .filter(([phase]) => phase !== "total");
  console.log(`\n${name}`);
  console.log("phase            seconds   peak GB");
  for (const [phase, spent] of phases) {
    const memory = ((peaks.get(phase) ?? 0) / 1e9).toFixed(2);
    console.log(`${phase.padEnd(14)} ${spent.toFixed(1).padStart(9)} ${memory.padStart(9)}`);
  }
  console.log(
    `${"process".padEnd(14)} ${seconds.toFixed(1).padStart(9)}` +
      ` ${(peak / 1e9).toFixed(2).padStart(9)}`,
  );
  console.log(
    `goal: ${GOALS.minutes} min, ${GOALS.gigabytes} GB; measured: ` +
      `${(seconds / 60).toFixed(1)} min, ${(peak / 1e9).toFixed(2)} GB; processor time ` +
      `${(processorSeconds / 60).toFixed(1)} min, ${
        (processorSeconds / 120).toFixed(1)
      } on each of two ` +
      "idle cores",
  );
}

const folder = await Deno.makeTempDir();
try {
  const model = join(folder, "model"), text = join(folder, "calibration.txt");
  await writeGpt2SizedModel(model);
  // One token a byte.
  const bytes = new TextEncoder().encode(
    (await readEmbeddedCalibration()).replace(/[^ -~\n]/g, " "),
  );
  await Deno.writeFile(text, bytes.subarray(0, CALIBRATION_TOKENS));
  const common = [model, "--tokens", `${EVALUATION_TOKENS}`, ...Deno.args];
  await measure(`calibrated on ${CALIBRATION_TOKENS} tokens`, [
    ...common,
    ...["--calibration", text, "--out", join(folder, "calibrated")],
  ]);
  await measure("data-free", [...common, "--data-free", "--out", join(folder, "data-free")]);
} finally {
  await Deno.remove(folder, { recursive: true });
}
