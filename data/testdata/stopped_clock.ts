/** Work to be done every so often. */
interface Interval {
  readonly work: () => void;
  readonly milliseconds: number;
  due: number;
}

/** Stands for `performance.now` and intervals to the end of the scope: a test says what time passes. */
export class StoppedClock implements Disposable {
  readonly #now = performance.now;
  readonly #setInterval = globalThis.setInterval;
  readonly #clearInterval = globalThis.clearInterval;
  readonly #intervals = new Set<Interval>();
  #time = 0;

  constructor() {
    performance.now = () => this.#time;
    const setInterval = (work: () => void, milliseconds: number) => {
      const interval = { work, milliseconds, due: this.#time + milliseconds };
      this.#intervals.add(interval);
      return interval;
    };
    globalThis.setInterval = setInterval as unknown as typeof globalThis.setInterval;
    const clearInterval = (interval: Interval) => this.#intervals.delete(interval);
    globalThis.clearInterval = clearInterval as unknown as typeof globalThis.clearInterval;
  }

  /** Lets time pass, and does what is due in it. */
  pass(milliseconds: number): void {
    const end = this.#time + milliseconds;
    for (;;) {
      const [next] = [...this.#intervals].sort((a, b) => a.due - b.due);
      if (next === undefined || next.due > end) break;
      this.#time = next.due;
      next.due += next.milliseconds;
      next.work();
    }
    this.#time = end;
  }

  [Symbol.dispose](): void {
    performance.now = this.#now;
    globalThis.setInterval = this.#setInterval;
    globalThis.clearInterval = this.#clearInterval;
  }
}
