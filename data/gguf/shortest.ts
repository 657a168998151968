/**
 * A number that was stored as float32, in as few digits as tell it from its neighbours.
 *
 * ```ts
 * import { shortest } from "./shortest.ts";
 * import assert from "node:assert";
 *
 * assert.equal(shortest(Math.fround(1e-5)), 1e-5);
 * assert.equal(shortest(0.1 + 0.2), 0.1 + 0.2);
 * assert.equal(shortest(undefined), undefined);
 * ```
 */
export function shortest<T extends number | undefined>(value: T): T {
  if (value === undefined || Math.fround(value) !== value) return value;
  for (let digits = 1; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short as T;
  }
  return value;
}
