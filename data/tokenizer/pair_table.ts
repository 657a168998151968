/** Finds numbers by pairs of whole numbers from 0 to 2^31 - 1, in less memory than a Map. */
export class PairTable {
  #first = new Int32Array(16).fill(-1);
  #second = new Int32Array(16);
  #values = new Int32Array(16);
  #size = 0;

  /** The value of a pair, or -1. */
  get(first: number, second: number): number {
    const slot = this.#slot(first, second);
    return this.#first[slot]! < 0 ? -1 : this.#values[slot]!;
  }

  /** Sets the value of a pair, a whole number from 0 to 2^31 - 1. */
  set(first: number, second: number, value: number): void {
    if (2 * this.#size >= this.#first.length) this.#grow();
    const slot = this.#slot(first, second);
    if (this.#first[slot]! < 0) this.#size += 1;
    this.#first[slot] = first;
    this.#second[slot] = second;
    this.#values[slot] = value;
  }

  /** Where the pair is, or would be. */
  #slot(first: number, second: number): number {
    const mask = this.#first.length - 1;
    let hash = Math.imul(first, 0x9e3779b1) ^ Math.imul(second, 0x85ebca6b);
    hash = Math.imul(hash ^ hash >>> 15, 0x2c1b3c6d);
    let slot = (hash ^ hash >>> 13) & mask;
    while (
      this.#first[slot]! >= 0 && (this.#first[slot] !== first || this.#second[slot] !== second)
    ) slot = slot + 1 & mask;
    return slot;
  }

  #grow(): void {
    const [first, second, values] = [this.#first, this.#second, this.#values];
    const length = 2 * first.length;
    this.#first = new Int32Array(length).fill(-1);
    this.#second = new Int32Array(length);
    this.#values = new Int32Array(length);
    this.#size = 0;
    for (let i = 0; i < first.length; i++) {
      if (first[i]! >= 0) this.set(first[i]!, second[i]!, values[i]!);
    }
  }
}
