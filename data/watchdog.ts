/**
 * A connection must bring this many bytes per second, on average over the time that a watchdog waits.
 */
export const SLOWEST = 1024;

/**
 * A signal that aborts when too little has come for a while, or when another one does. A connection
 * that brings a byte now and then would otherwise be waited for without end.
 */
export class Watchdog {
  /** To be given to what is watched. */
  readonly signal: AbortSignal;
  readonly #stalled = new AbortController();
  readonly #milliseconds: number;
  #bytes = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Starts to count; `also` is another reason to abort. */
  constructor(milliseconds: number, also?: AbortSignal) {
    this.#milliseconds = milliseconds;
    this.signal = also === undefined
      ? this.#stalled.signal
      : AbortSignal.any([also, this.#stalled.signal]);
    this.#startAnew();
  }

  /** Hears of bytes that came. */
  touch(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes >= SLOWEST * this.#milliseconds / 1000) this.#startAnew();
  }

  #startAnew(): void {
    clearTimeout(this.#timer);
    this.#bytes = 0;
    this.#timer = setTimeout(() => {
      const came = this.#bytes === 0 ? "nothing" : `only ${this.#bytes} bytes`;
      this.#stalled.abort(new Error(`${came} came for ${this.#milliseconds / 1000} s`));
    }, this.#milliseconds);
  }

  /** Ends the watch. */
  stop(): void {
    clearTimeout(this.#timer);
  }
}
