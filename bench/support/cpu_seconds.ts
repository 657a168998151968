import { cpuUsage } from "node:process";

/** Least of the CPU seconds that several runs of some work take: other processes hardly count. */
export function leastCpuSeconds(work: () => void, runs: number): number {
  let least = Infinity;
  for (let run = 0; run < runs; run++) {
    const start = cpuUsage();
    work();
    const { user, system } = cpuUsage(start);
    least = Math.min(least, (user + system) / 1e6);
  }
  return least;
}

/** As {@linkcode leastCpuSeconds}, of work that ends later. */
export async function leastCpuSecondsLater(
  work: () => Promise<unknown>,
  runs: number,
): Promise<number> {
  let least = Infinity;
  for (let run = 0; run < runs; run++) {
    const start = cpuUsage();
    await work();
    const { user, system } = cpuUsage(start);
    least = Math.min(least, (user + system) / 1e6);
  }
  return least;
}
