import type { PairTable } from "./pair_table.ts";

/** Joins neighbours in the order of their merges' ranks, and from left to right within a rank. */
export class MergeQueue {
  readonly #ranks: PairTable;
  readonly #merged: Int32Array;
  /** A binary heap of rank · 2^32 + position. */
  #heap = new Float64Array(64);
  #size = 0;

  /** `ranks` finds the rank of a pair of ids, `merged` has the id that each rank makes. */
  constructor(ranks: PairTable, merged: Int32Array) {
    this.#ranks = ranks;
    this.#merged = merged;
  }

  /** The ids that are left when nothing more can be joined. Changes `ids`. */
  join(ids: Int32Array): Int32Array {
    const { length } = ids;
    if (length < 2) return ids;
    // -1 for the id of a token that was joined to the one before it.
    const previous = Int32Array.from(ids, (_, i) => i - 1);
    const next = Int32Array.from(ids, (_, i) => i + 1);
    this.#size = 0;
    for (let i = 0; i + 1 < length; i++) this.#offer(ids[i]!, ids[i + 1]!, i);
    while (this.#size > 0) {
      const top = this.#take();
      const rank = Math.floor(top / 0x100000000);
      const at = top % 0x100000000;
      const right = next[at]!;
      if (ids[at]! < 0 || right >= length) continue;
      // The neighbours may have been joined to others since.
      const now = this.#ranks.get(ids[at]!, ids[right]!);
      const id = this.#merged[rank]!;
      if (now < 0 || this.#merged[now] !== id) continue;
      ids[at] = id;
      ids[right] = -1;
      const after = next[right]!;
      next[at] = after;
      if (after < length) {
        previous[after] = at;
        this.#offer(id, ids[after]!, at);
      }
      if (previous[at]! >= 0) this.#offer(ids[previous[at]!]!, id, previous[at]!);
    }
    return ids.filter((id) => id >= 0);
  }

  #offer(left: number, right: number, at: number): void {
    const rank = this.#ranks.get(left, right);
    if (rank < 0) return;
    if (this.#size === this.#heap.length) {
      const larger = new Float64Array(2 * this.#size);
      larger.set(this.#heap);
      this.#heap = larger;
    }
    const heap = this.#heap;
    const key = rank * 0x100000000 + at;
    let slot = this.#size++;
    while (slot > 0) {
      const parent = slot - 1 >> 1;
      if (heap[parent]! <= key) break;
      heap[slot] = heap[parent]!;
      slot = parent;
    }
    heap[slot] = key;
  }

  #take(): number {
    const heap = this.#heap;
    const least = heap[0]!;
    const key = heap[--this.#size]!;
    let slot = 0;
    while (true) {
      let child = 2 * slot + 1;
      if (child >= this.#size) break;
      if (child + 1 < this.#size && heap[child + 1]! < heap[child]!) child += 1;
      if (heap[child]! >= key) break;
      heap[slot] = heap[child]!;
      slot = child;
    }
    heap[slot] = key;
    return least;
  }
}
