/** How long a worker sleeps before it looks again; a terminated worker must not sleep for ever. */
const sleepMilliseconds = 200;

/**
 * Waits until it is the turn of job `job` at counter `index`, runs `work` and passes the turn on.
 * So workers add to shared sums in the order of the jobs, and the sums do not depend on how many
 * workers there are. Jobs must be begun in order.
 */
export function takeTurn(turns: Int32Array, index: number, job: number, work: () => void): void {
  for (let seen = Atomics.load(turns, index); seen !== job; seen = Atomics.load(turns, index)) {
    Atomics.wait(turns, index, seen, sleepMilliseconds);
  }
  work();
  Atomics.store(turns, index, job + 1);
  Atomics.notify(turns, index);
}

/** How much of `jobs` jobs has been added to all sums, 0 to 1; jobs that are in hand count in part. */
export function turnsShare(turns: readonly Int32Array[], jobs: number): number {
  let passed = 0, all = 0;
  for (const counters of turns) {
    for (let index = 0; index < counters.length; index++) passed += Atomics.load(counters, index);
    all += counters.length * jobs;
  }
  return all === 0 ? 0 : passed / all;
}
