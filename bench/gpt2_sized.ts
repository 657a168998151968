/**
 * How long does it take to compress a model of GPT-2's size, and how much memory? Makes one with
 * random weights (124 million parameters), runs `compress` as a process of its own, calibrated on
 * 16,384 tokens, with the default number of threads, and again with `--data-free`. Prints the seconds,
 * the processor time and the peak of the resident memory (Linux only) of each phase. The goal counts
 * until the file is written, in processor time on each of two cores, which busy machines inflate
 * least. Takes about twenty minutes.
 *
 *     deno run --allow-all bench/gpt2_sized.ts
 *     deno run --allow-all bench/gpt2_sized.ts --bits 3
 *
 * Arguments go to `compress`. The evaluation at the end is of 1,024 tokens.
 */
import { join } from "node:path";
import { readEmbeddedCalibration } from "../data/mod.ts";
import { writeGpt2SizedModel } from "./support/gpt2_sized/write_model.ts";
import { measureProcess } from "./support/measured_process.ts";

const GOALS = { minutes: 15, gigabytes: 3 };
const CALIBRATION_TOKENS = 16_384;
const EVALUATION_TOKENS = 1024;
/** Phases that come before the measuring. */
const UNTIL_WRITTEN = ["open", "read", "calibrate", "factor", "compress", "write"];

async function measure(name: string, args: readonly string[]): Promise<void> {
  const { output, seconds, processorSeconds, peak, peaks, phaseProcessorSeconds } =
    await measureProcess(["compress", ...args]);
  const phases = Object.entries(output.seconds as Record<string, number>)
    .filter(([phase]) => phase !== "total");
  console.log(`\n${name}`);
  row("phase", "seconds", "processor", "peak GB");
  for (const [phase, spent] of phases) {
    const processor = phaseProcessorSeconds.get(phase) ?? 0;
    row(phase, spent.toFixed(1), processor.toFixed(1), gigabytes(peaks.get(phase) ?? 0));
  }
  row("process", seconds.toFixed(1), processorSeconds.toFixed(1), gigabytes(peak));
  const written = UNTIL_WRITTEN.reduce(
    (sum, phase) => sum + (phaseProcessorSeconds.get(phase) ?? 0),
    0,
  );
  console.log(
    `until written: ${(written / 120).toFixed(1)} minutes on each of two idle cores (goal ` +
      `${GOALS.minutes}); peak ${gigabytes(peak)} GB (goal ${GOALS.gigabytes})`,
  );
}

function row(...cells: string[]): void {
  console.log(cells.map((cell, i) => i === 0 ? cell.padEnd(14) : cell.padStart(10)).join(""));
}

function gigabytes(bytes: number): string {
  return (bytes / 1e9).toFixed(2);
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
