import assert from "node:assert";
import { takeTurn, turnsShare } from "./turns.ts";

Deno.test("a turn is taken and passed on, and what is added counts", () => {
  const groups = new Int32Array(new SharedArrayBuffer(8));
  const blocks = new Int32Array(new SharedArrayBuffer(4));
  const done: string[] = [];
  const shares: number[] = [];
  const share = () => turnsShare([groups, blocks], 2);
  for (const [counters, index, job] of [[groups, 0, 0], [blocks, 0, 0], [groups, 1, 0]] as const) {
    shares.push(share());
    takeTurn(counters, index, job, () => void done.push(`${index} of job ${job}`));
  }
  shares.push(share());
  // The first of two jobs has added to all sums.
  assert.deepEqual(shares, [0, 1 / 6, 2 / 6, 1 / 2]);
  assert.deepEqual(done, ["0 of job 0", "0 of job 0", "1 of job 0"]);
  assert.equal(turnsShare([new Int32Array(0)], 2), 0);
});
