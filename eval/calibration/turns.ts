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
