/**
 * Seconds until all tasks are done, where each of some workers takes the next as soon as it is free:
 * list scheduling, at most twice as long as the best order. Tasks begin in the order given.
 */
export function listSchedule(seconds: readonly number[], workers: number): number {
  const free = new Float64Array(Math.max(1, Math.min(workers, seconds.length)));
  for (const time of seconds) {
    let first = 0;
    for (let i = 1; i < free.length; i++) if (free[i]! < free[first]!) first = i;
    free[first]! += time;
  }
  return free.reduce((latest, time) => Math.max(latest, time), 0);
}
