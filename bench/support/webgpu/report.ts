const begin = performance.now();

/** Prints a line with the seconds since the start. */
export function say(text: string): void {
  const seconds = ((performance.now() - begin) / 1000).toFixed(1);
  console.log(`[${seconds.padStart(6)} s] ${text}`);
}

/** The largest difference of two lists of numbers, as a share of the largest number. */
export function difference(expected: ArrayLike<number>, found: ArrayLike<number>): number {
  let largest = 0, worst = 0;
  for (let i = 0; i < expected.length; i++) {
    largest = Math.max(largest, Math.abs(expected[i]!));
    worst = Math.max(worst, Math.abs(expected[i]! - found[i]!));
  }
  return worst / largest;
}

/** Seconds that some work takes. */
export async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}
