/**
 * How long does the main job take, and how much memory? Runs `compress` as a process of its own,
 * three times, and prints the seconds of each phase and the peak of the resident memory (Linux only:
 * VmHWM of /proc). Arguments go to `compress`.
 *
 *     deno run --allow-all bench/compress.ts
 *     deno run --allow-all bench/compress.ts --preset hybrid
 */
import { fileURLToPath } from "node:url";

const RUNS = 3;
const PROGRAM = fileURLToPath(new URL("../cli.ts", import.meta.url));

/** The peak so far of a process's resident memory in bytes; 0 when it has ended. */
function peakMemory(pid: number): number {
  try {
    const status = Deno.readTextFileSync(`/proc/${pid}/status`);
    return 1024 * Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0);
  } catch {
    return 0;
  }
}

async function runOnce(args: readonly string[]) {
  const folder = await Deno.makeTempDir();
  const start = performance.now();
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--allow-all",
      PROGRAM,
      "compress",
      "--no-cache",
      "--json",
      "--out",
      `${folder}/out`,
      ...args,
    ],
    stdout: "piped",
    stderr: "null",
  }).spawn();
  let peak = 0;
  const timer = setInterval(() => peak = Math.max(peak, peakMemory(child.pid)), 20);
  const { code, stdout } = await child.output();
  clearInterval(timer);
  await Deno.remove(folder, { recursive: true });
  if (code !== 0) throw new Error(`compress ended with status ${code}`);
  const { seconds }: { seconds: Record<string, number> } = JSON.parse(
    new TextDecoder().decode(stdout),
  );
  return { peak, seconds: { ...seconds, process: (performance.now() - start) / 1000 } };
}

for (let run = 1; run <= RUNS; run++) {
  const { peak, seconds } = await runOnce(Deno.args);
  const phases = Object.entries(seconds).map(([name, value]) => `${name} ${value.toFixed(2)} s`);
  console.log(`run ${run}: peak ${(peak / 1e6).toFixed(0)} MB; ${phases.join(", ")}`);
}
