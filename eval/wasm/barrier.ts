/** Looks at the others before a thread sleeps: some ten microseconds. */
const LOOKS = 2000;

/** Milliseconds of a sleep, after which a thread looks again. */
const SLEEP = 1000;

const ARRIVED = 0, GENERATION = 1, FAILED = 2;

/** Words of shared memory that a {@linkcode Barrier} needs, zeros at first. */
export const BARRIER_WORDS = 3;

/** Where threads wait for each other. */
export class Barrier {
  readonly #words: Int32Array;
  readonly #threads: number;
  readonly #sleeps = maySleep();

  /** A barrier of `threads` threads, all of which are given the same words. */
  constructor(words: Int32Array, threads: number) {
    this.#words = words;
    this.#threads = threads;
  }

  /** Waits until all threads are here; throws if one of them said that it failed. */
  wait(): void {
    if (this.#threads === 1) return;
    const words = this.#words;
    const generation = Atomics.load(words, GENERATION);
    if (Atomics.add(words, ARRIVED, 1) + 1 === this.#threads) {
      Atomics.store(words, ARRIVED, 0);
      Atomics.add(words, GENERATION, 1);
      Atomics.notify(words, GENERATION);
    } else {
      for (let looks = 0; Atomics.load(words, GENERATION) === generation; looks++) {
        if (Atomics.load(words, FAILED) !== 0) break;
        if (this.#sleeps && looks > LOOKS) Atomics.wait(words, GENERATION, generation, SLEEP);
      }
    }
    if (Atomics.load(words, FAILED) !== 0) throw new Error("a thread that writes has failed");
  }

  /** Wakes the others, whose waits throw. */
  fail(): void {
    Atomics.store(this.#words, FAILED, 1);
    Atomics.notify(this.#words, GENERATION);
  }
}

/** Whether this thread may sleep: the main thread of a page may not. */
export function maySleep(): boolean {
  try {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 1, 0);
    return true;
  } catch {
    return false;
  }
}
