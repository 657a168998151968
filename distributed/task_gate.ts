/** Keeps the memory that tasks need, and the number that begin in a minute, within limits. */
export class TaskGate {
  #memory: number;
  readonly #tasksPerMinute: number;
  readonly #now: () => number;
  #taken = 0;
  #begun: number[] = [];

  /** `memory` is in bytes; `now` gives milliseconds. */
  constructor(
    memory: number,
    tasksPerMinute: number = Infinity,
    now: () => number = () => performance.now(),
  ) {
    this.#memory = memory;
    this.#tasksPerMinute = tasksPerMinute;
    this.#now = now;
  }

  /** Takes so many bytes for a task that begins now, or says that it may not. */
  take(bytes: number): boolean {
    const now = this.#now();
    this.#begun = this.#begun.filter((time) => time > now - 60_000);
    if (this.#taken + bytes > this.#memory) return false;
    if (this.#begun.length >= this.#tasksPerMinute) return false;
    this.#taken += bytes;
    this.#begun.push(now);
    return true;
  }

  /**
   * Memory has run out in a task of so many bytes, which were taken: as much as the others have is the
   * limit from now on, or a quarter of it if there are none. Gives the limit.
   */
  lower(bytes: number): number {
    this.#memory = this.#taken > bytes ? this.#taken - bytes : bytes / 4;
    return this.#memory;
  }

  /** Gives the bytes of a task back that has ended. */
  give(bytes: number): void {
    this.#taken -= bytes;
  }
}
