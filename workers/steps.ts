/** Work in steps of some milliseconds: whoever runs it may do something else after each. */
export type Steps<Result> = Generator<void, Result>;

/** A page or a terminal is left without a response for no longer than this. */
const MILLISECONDS_BETWEEN_BREAKS = 50;

/**
 * Does all steps at once, as {@linkcode finishWithBreaks} does with breaks.
 *
 * ```ts
 * import { finish, finishWithBreaks, type Steps } from "./steps.ts";
 * import assert from "node:assert";
 *
 * function* count(to: number): Steps<number> {
 *   for (let i = 0; i < to; i++) yield;
 *   return to;
 * }
 * assert.equal(finish(count(3)), 3);
 * assert.equal(await finishWithBreaks(count(3), AbortSignal.timeout(60_000)), 3);
 * ```
 */
export function finish<Result>(work: Steps<Result>): Result {
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
  }
}

/**
 * Does all steps with a break every so often, in which timers, signals and other work have their
 * turn. Throws the signal's reason once it is aborted.
 */
export async function finishWithBreaks<Result>(
  work: Steps<Result>,
  signal?: AbortSignal,
): Promise<Result> {
  const pause = createBreaks(signal);
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
    await pause();
  }
}

/**
 * What long work calls often: it gives others their turn when the last break was a while ago, and
 * throws the signal's reason once it is aborted.
 */
export function createBreaks(signal?: AbortSignal): () => Promise<void> {
  let last = performance.now();
  return async () => {
    if (performance.now() - last > MILLISECONDS_BETWEEN_BREAKS) {
      await new Promise((resolve) => setTimeout(resolve, 0));
      last = performance.now();
    }
    signal?.throwIfAborted();
  };
}
