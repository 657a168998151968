import assert from "node:assert";
import { trialProgress } from "./trial_progress.ts";

Deno.test("progress over many trials only grows and stays below one", () => {
  const shares: number[] = [], activities = new Set<string>();
  const trials = trialProgress((activity, share) => {
    shares.push(share);
    activities.add(activity);
  });
  for (let trial = 0; trial < 20; trial++) {
    const progress = trials.next();
    for (const share of [-1, 0, 0.5, 1, 2]) progress(share);
  }
  assert.deepEqual(shares, shares.toSorted((a, b) => a - b));
  assert.ok(shares[0] === 0 && shares.at(-1)! < 1 && shares.at(-1)! > 0.99);
  assert.equal(activities.size, 20);
});

Deno.test("progress need not be heard", () => trialProgress(undefined).next()(0.5));

Deno.test("drafts take a small part of the progress, and the trial after them most of it", () => {
  const ends: number[] = [];
  const trials = trialProgress((_, share) => ends.push(share));
  for (const begin of [trials.draft, trials.draft, trials.next, trials.next]) begin()(1);
  const [first, second, third, fourth] = ends as [number, number, number, number];
  assert.ok(first > 0.05 && second > first && second < 0.3);
  assert.ok(third > 0.7 && fourth > third && fourth < 1);
});
