/** Speed is that of the last so many milliseconds: it follows a connection that changes. */
const WINDOW = 4000;
/** Before so many milliseconds, a speed would be a guess. */
const LEAST = 300;

/** How fast bytes come. */
export interface Transfer {
  /** Bytes per second. */
  readonly speed: number;
  /** Seconds until the rest is there at that speed. */
  readonly secondsLeft: number;
}

/**
 * Follows a transfer: is told how many bytes are there, and when, and gives its speed; undefined
 * while that is not known yet.
 *
 * ```ts
 * import { TransferRate } from "./transfer_rate.ts";
 * import assert from "node:assert";
 *
 * const rate = new TransferRate();
 * assert.equal(rate.add(0, 3000, 0), undefined);
 * assert.deepEqual(rate.add(1000, 3000, 1000), { speed: 1000, secondsLeft: 2 });
 * ```
 */
export class TransferRate {
  #seen: { bytes: number; at: number }[] = [];

  /** Adds that `bytes` of `total` are there at a time in milliseconds. */
  add(bytes: number, total: number, at: number): Transfer | undefined {
    this.#seen.push({ bytes, at });
    // One that is older than the window stays, for the window to be whole.
    while (this.#seen.length > 2 && this.#seen[1]!.at <= at - WINDOW) this.#seen.shift();
    const first = this.#seen[0]!;
    if (at - first.at < LEAST || bytes <= first.bytes) return undefined;
    const speed = 1000 * (bytes - first.bytes) / (at - first.at);
    return { speed, secondsLeft: (total - bytes) / speed };
  }
}
