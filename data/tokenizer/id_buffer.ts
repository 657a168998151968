/** A list of ids that grows. */
export class IdBuffer {
  #ids = new Int32Array(256);
  #length = 0;

  /** How many there are. */
  get length(): number {
    return this.#length;
  }

  /** Adds ids at the end. */
  push(ids: Int32Array): void {
    const length = this.#length + ids.length;
    if (length > this.#ids.length) {
      const larger = new Int32Array(Math.max(length, 2 * this.#ids.length));
      larger.set(this.#ids.subarray(0, this.#length));
      this.#ids = larger;
    }
    this.#ids.set(ids, this.#length);
    this.#length = length;
  }

  /** The first ids, at most `most`. */
  take(most: number): Int32Array {
    return this.#ids.slice(0, Math.min(most, this.#length));
  }
}
