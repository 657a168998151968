import assert from "node:assert";
import { nextTokenWindow } from "../protocols/window.ts";
import { planJobs } from "./scoring_jobs.ts";
import { allocateScores } from "./token_scores.ts";

const lengths = [2, 5, 3, 5, 2];
const windows = lengths.map((length, chunk) => {
  const tokens = Int32Array.from({ length }, (_, i) => 10 * chunk + i);
  return nextTokenWindow(tokens, 0, length - 1, chunk);
});
const options = { tokensPerJob: 10, rowsPerSequence: "all", pads: false } as const;

Deno.test("windows of equal length share a job, and none is larger than it may be", () => {
  const { jobs, largestJob } = planJobs(windows, options);
  assert.deepEqual(jobs.map(({ batch }) => batch), [2, 1, 2]);
  assert.equal(largestJob, 10);
  assert.deepEqual([...jobs[0]!.tokens], [10, 11, 12, 13, 14, 30, 31, 32, 33, 34]);
  assert.deepEqual([...jobs[0]!.rows], [0, 1, 2, 3, 5, 6, 7, 8]);
  assert.deepEqual([...jobs[2]!.labels], [1, 41]);
});

Deno.test("shorter windows are filled up where that is allowed", () => {
  const { jobs } = planJobs(windows, { ...options, tokensPerJob: 15, pads: true });
  assert.deepEqual(jobs.map(({ batch }) => batch), [3, 2]);
  assert.deepEqual([...jobs[0]!.tokens.subarray(10)], [20, 21, 22, 0, 0]);
  assert.deepEqual([...jobs[0]!.rows.subarray(8)], [10, 11]);
});

Deno.test("of classifiers there is one row a sequence", () => {
  const tokens = Int32Array.of(1, 2, 3);
  const labelled = { tokens, rows: Int32Array.of(0), labels: Int32Array.of(1), chunk: 0 };
  const { jobs } = planJobs([labelled, labelled], { ...options, rowsPerSequence: "first" });
  assert.deepEqual([...jobs[0]!.rows], [0, 1]);
});

Deno.test("scores come back in the order of the windows", () => {
  const { jobs, inWindowOrder } = planJobs(windows, options);
  const scores = jobs.map(({ labels }) => {
    const made = allocateScores(labels.length, true);
    made.original.set(labels);
    made.compressedTop!.set(labels);
    return made;
  });
  const expected = windows.flatMap(({ labels }) => [...labels]);
  assert.deepEqual([...inWindowOrder(scores).original], expected);
  assert.deepEqual([...inWindowOrder(scores).compressedTop!], expected);
});
