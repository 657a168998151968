/** A signal that aborts when nothing has been heard for a while, or when another one does. */
export class Watchdog {
  /** To be given to what is watched. */
  readonly signal: AbortSignal;
  readonly #stalled = new AbortController();
  readonly #milliseconds: number;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Starts to count; `also` is another reason to abort. */
  constructor(milliseconds: number, also?: AbortSignal) {
    this.#milliseconds = milliseconds;
    this.signal = also === undefined
      ? this.#stalled.signal
      : AbortSignal.any([also, this.#stalled.signal]);
    this.touch();
  }

  /** Starts to count anew. */
  touch(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#stalled.abort(new Error(`nothing came for ${this.#milliseconds / 1000} s`));
    }, this.#milliseconds);
  }

  /** Ends the watch. */
  stop(): void {
    clearTimeout(this.#timer);
  }
}
