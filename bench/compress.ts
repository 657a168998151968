/**
 * How long does the main job take, and how much memory? Runs `compress` as a process of its own,
 * three times, and prints the seconds of each phase and the peak of the resident memory (Linux only:
 * VmHWM of /proc). Arguments go to `compress`.
 *
 *     deno run --allow-all bench/compress.ts
 *     deno run --allow-all bench/compress.ts --preset hybrid
 */
import { join } from "node:path";
import { measureProcess } from "./support/measured_process.ts";

const RUNS = 3;

async function runOnce(args: readonly string[]) {
  const folder = await Deno.makeTempDir();
  try {
    const { output, peak, seconds } = await measureProcess(
      ["compress", "--no-cache", "--out", join(folder, "out"), ...args],
    );
    const phases = output.seconds as Record<string, number>;
    return { peak, seconds: { ...phases, process: seconds } };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

for (let run = 1; run <= RUNS; run++) {
  const { peak, seconds } = await runOnce(Deno.args);
  const phases = Object.entries(seconds).map(([name, value]) => `${name} ${value.toFixed(2)} s`);
  console.log(`run ${run}: peak ${(peak / 1e6).toFixed(0)} MB; ${phases.join(", ")}`);
}
